"""Jets in HDF5, in the layout of the public top-tagging sets as PELICAN reads them (docs/jets.md).

Datasets: ``Pmu`` [n, N, 4] (E, px, py, pz) in GeV, zero-padded; ``is_signal`` [n] 1 = top; ``Nobj`` [n] constituents
in the file; and, optional, ``jet_Pmu`` [n, 4] the whole jet and ``Nobj_all`` [n] constituents before any cut.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets

logger = logging.getLogger(__name__)

#: jets per HDF5 chunk, the unit of compression
CHUNK_JETS = 1000


def read_jets(path: str | Path, events: int | None = None) -> Jets:
    """Read the first ``events`` jets of a file, all of them if None or if it has fewer.

    Only ``Pmu`` is required. Without ``is_signal`` the labels are None (and a warning is logged); without ``jet_Pmu``
    the jet is the sum of its constituents in the file; without ``Nobj_all`` and ``Nobj`` they are counted.

    Raises
    ------
    JetsError
        If the file does not exist, is not HDF5, is truncated, has no ``Pmu`` or no jets, if datasets have the wrong
        shape or type or disagree in length, or if `Jets` refuses the values.
    """
    path = Path(path)
    if events is not None and events < 1:
        raise JetsError(f"cannot read {events} jets", where=str(path), remedy="ask for at least 1, or for all (None)")
    arrays = _read_arrays(path, events)
    momenta = np.asarray(arrays["Pmu"], dtype=np.float64)
    try:
        return Jets(
            four_momenta=momenta,
            jet_four_momentum=_jet_four_momentum(path, arrays.get("jet_Pmu"), momenta),
            multiplicity=_multiplicity(path, arrays, momenta),
            labels=_labels(path, arrays.get("is_signal")),
        )
    except JetsError as error:
        raise JetsError(error.what, where=f"{path}: {error.where}", remedy=error.remedy) from error


def write_jets(path: str | Path, jets: Jets, attributes: Mapping[str, str | int | float]) -> None:
    """Write jets, momenta rounded to float32, with attributes of the file that say where they come from.

    The file appears whole or not at all; one that was there stays until it is replaced.

    Raises
    ------
    JetsError
        If there are no jets, or the file cannot be written.
    """
    path = Path(path)
    if not len(jets):
        raise JetsError("there are no jets to write", where=str(path), remedy="write at least 1 jet")
    # HDF5 cannot close a file cleanly on a full disk, so it writes to memory and Python to the disk
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        file.attrs.update(attributes)
        for name, array in _datasets(jets).items():
            chunks = (min(CHUNK_JETS, len(jets)), *array.shape[1:])
            file.create_dataset(name, data=array, chunks=chunks, compression="gzip", compression_opts=9, shuffle=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(image.getvalue())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise JetsError(
            f"cannot be written ({error.strerror})", where=str(path), remedy="check the folder and the free space"
        ) from error


def _datasets(jets: Jets) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "Pmu": jets.four_momenta.astype(np.float32),
        "jet_Pmu": jets.jet_four_momentum.astype(np.float32),
        "Nobj": np.count_nonzero(jets.four_momenta[..., 0], axis=1).astype(np.int32),
        "Nobj_all": jets.multiplicity.astype(np.int32),
    }
    return arrays if jets.labels is None else arrays | {"is_signal": jets.labels}


#: dataset -> kinds of numpy type it may have, and the shape of one jet's entry (None: any)
_LAYOUT: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "Pmu": ("f", (None, 4)),
    "is_signal": ("biu", ()),
    "Nobj": ("iu", ()),
    "jet_Pmu": ("f", (4,)),
    "Nobj_all": ("iu", ()),
}
_KINDS = {"f": "floating-point numbers", "biu": "integers", "iu": "integers"}


def _read_arrays(path: Path, events: int | None) -> dict[str, NDArray[Any]]:
    """The datasets of the layout that the file has, checked in form, cut to ``events``."""
    if not path.is_file():
        raise JetsError(
            "is a folder" if path.is_dir() else "does not exist", where=str(path), remedy="give an HDF5 file of jets"
        )
    if path.stat().st_size == 0:
        raise JetsError("is empty (0 bytes)", where=str(path), remedy="write or copy it again")
    if not h5py.is_hdf5(path):
        raise JetsError("is not an HDF5 file", where=str(path), remedy="give an HDF5 file of jets (docs/jets.md)")
    try:
        with h5py.File(path, "r") as file:
            _check_layout(path, file)
            return {name: file[name][:events] for name in _LAYOUT if name in file}
    except (OSError, KeyError, RuntimeError) as error:  # h5py raises any of them on damage
        raise JetsError(
            f"is truncated or damaged ({error})", where=str(path), remedy="write or copy it again"
        ) from error


def _check_layout(path: Path, file: Any) -> None:
    if "Pmu" not in file:
        raise JetsError(
            f"has no dataset 'Pmu'; it has {', '.join(map(repr, file)) or 'none at all'}",
            where=str(path),
            remedy="write the constituents as Pmu [jets, constituents, 4], (E, px, py, pz) in GeV",
        )
    present = [name for name in _LAYOUT if name in file]
    for name in present:
        _check_dataset(f"{path}: {name}", file[name], *_LAYOUT[name])
    lengths = {name: len(file[name]) for name in present}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise JetsError(
            f"the datasets differ in their number of jets: {listed}",
            where=str(path),
            remedy="write one entry per jet in each",
        )
    if not lengths["Pmu"]:
        raise JetsError("holds no jets", where=str(path), remedy="give a file with at least 1 jet")


def _check_dataset(where: str, dataset: Any, kinds: str, entry: tuple[int | None, ...]) -> None:
    if not isinstance(dataset, h5py.Dataset):
        raise JetsError("is a group, not a dataset", where=where, remedy="write it in the layout of docs/jets.md")
    shape = dataset.shape
    if dataset.dtype.kind not in kinds:
        raise JetsError(
            f"must be {_KINDS[kinds]}, not {dataset.dtype}",
            where=where,
            remedy="write it in the layout of docs/jets.md",
        )
    fits = (
        shape is not None
        and len(shape) == 1 + len(entry)
        and all((size > 0 if wanted is None else size == wanted) for size, wanted in zip(shape[1:], entry, strict=True))
    )
    if not fits:
        wanted = ", ".join(["jets", *("constituents" if size is None else str(size) for size in entry)])
        raise JetsError(
            f"must have shape [{wanted}], not {list(shape or ())}",
            where=where,
            remedy="write it in the layout of docs/jets.md",
        )


def _labels(path: Path, is_signal: NDArray[Any] | None) -> NDArray[Any] | None:
    if is_signal is None:
        logger.warning("%s has no labels (is_signal): AUC will be skipped", path)
    return is_signal


def _jet_four_momentum(path: Path, jet: NDArray[Any] | None, momenta: NDArray[np.float64]) -> NDArray[np.float64]:
    if jet is not None:
        return np.asarray(jet, dtype=np.float64)
    logger.info("%s has no jet_Pmu: the jet is the sum of its constituents in the file", path)
    total: NDArray[np.float64] = momenta.sum(axis=1)
    return total


def _multiplicity(path: Path, arrays: Mapping[str, NDArray[Any]], momenta: NDArray[np.float64]) -> NDArray[Any]:
    for name in ("Nobj_all", "Nobj"):
        if name in arrays:
            return arrays[name]
    logger.info("%s has no Nobj: the constituents in the file are counted", path)
    counted: NDArray[np.intp] = np.count_nonzero(momenta[..., 0], axis=1)
    return counted

"""Writing jets to HDF5, in the layouts read by `readers.pelican` and `readers.level1` (docs/jets.md)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.level1 import Level1Jets
from nanopelican_hls.jets.readers.classes import CLASSES, IS_SIGNAL, LABEL
from nanopelican_hls.jets.readers.level1 import FORMAT, MULTIPLICITY, WORD_TYPES

#: jets per HDF5 chunk, the unit of compression
CHUNK_JETS = 1000


def write_jets(
    path: str | Path, jets: Jets, attributes: Mapping[str, str | int | float], *, force: bool = False
) -> None:
    """Write jets, with momenta rounded to float32 and their provenance as file attributes.

    The file is written atomically; an existing one is replaced only with ``force``.

    Raises
    ------
    JetsError
        If there are no jets, the file exists and ``force`` is False, or it cannot be written.
    """
    write_datasets(Path(path), _datasets(jets) | _labels(jets), {**attributes, **_class_names(jets)}, force=force)


def write_level1(
    path: str | Path, words: Level1Jets, attributes: Mapping[str, str | int | float], *, force: bool = False
) -> None:
    """Write Level-1 words in the layout read by `readers.level1`; otherwise like `write_jets`, errors included."""
    datasets = {name: getattr(words, name).astype(dtype) for name, dtype in WORD_TYPES.items()}
    datasets |= {MULTIPLICITY: words.multiplicity.astype(np.int32), **_labels(words)}
    write_datasets(Path(path), datasets, {**attributes, FORMAT: words.format.name, **_class_names(words)}, force=force)


def write_datasets(
    path: Path, datasets: Mapping[str, NDArray[Any]], attributes: Mapping[str, Any], *, force: bool
) -> None:
    """Write compressed datasets [n, ...] of n jets; otherwise like `write_jets`, errors included."""
    jets = len(next(iter(datasets.values())))
    if not jets:
        raise JetsError("there are no jets to write", where=str(path), remedy="write at least 1 jet")
    if path.is_file() and not force:
        raise JetsError(
            "already exists", where=str(path), remedy="write to another file, or replace it with force=True (--force)"
        )
    # HDF5 cannot close a file cleanly on a full disk, so it writes to memory, and Python writes the file
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        file.attrs.update(attributes)
        for name, array in datasets.items():
            chunks = (min(CHUNK_JETS, jets), *array.shape[1:])
            file.create_dataset(name, data=array, chunks=chunks, compression="gzip", compression_opts=9, shuffle=True)
    write_atomically(path, image.getvalue(), JetsError)


def _datasets(jets: Jets) -> dict[str, NDArray[Any]]:
    return {
        "Pmu": jets.four_momenta.astype(np.float32),
        "jet_Pmu": jets.jet_four_momentum.astype(np.float32),
        "Nobj": np.count_nonzero(jets.four_momenta[..., 0], axis=1).astype(np.int32),
        "Nobj_all": jets.multiplicity.astype(np.int32),
    }


def _labels(jets: Jets | Level1Jets) -> dict[str, NDArray[Any]]:
    return {} if jets.labels is None else {LABEL if jets.classes else IS_SIGNAL: jets.labels}


def _class_names(jets: Jets | Level1Jets) -> dict[str, tuple[str, ...]]:
    return {} if jets.labels is None or jets.classes is None else {CLASSES: jets.classes}

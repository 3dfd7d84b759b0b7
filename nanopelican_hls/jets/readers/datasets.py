"""Checks of HDF5 datasets before they are read: number type, shape and compression."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nanopelican_hls.errors import JetsError

#: numpy dtype kinds -> their name in messages
_KINDS = {"f": "floating-point numbers", "biu": "integers", "iu": "integers"}


def check_dataset(where: str, dataset: Any, kinds: str, entry: tuple[int | None, ...]) -> None:
    """Check that a dataset has one of the dtype ``kinds``, and entries of the given shape (None: any size) per jet.

    Raises
    ------
    JetsError
        If it does not; the message shows what the dataset has.
    """
    remedy = "write it in the layout of docs/jets.md"
    check_readable(where, dataset)
    if dataset.dtype.kind not in kinds:
        raise JetsError(f"must be {_KINDS[kinds]}, not {dataset.dtype}", where=where, remedy=remedy)
    shape = dataset.shape
    fits = (
        shape is not None
        and len(shape) == 1 + len(entry)
        and all((size > 0 if wanted is None else size == wanted) for size, wanted in zip(shape[1:], entry, strict=True))
    )
    if not fits:
        wanted = ", ".join(["jets", *("constituents" if size is None else str(size) for size in entry)])
        raise JetsError(f"must have shape [{wanted}], not {list(shape or ())}", where=where, remedy=remedy)


def attribute_bytes(attributes: Any, name: str) -> bytes:
    """An attribute as bytes, of whatever kind it is; none if it is absent or empty."""
    value = attributes.get(name, b"")
    if isinstance(value, str):
        return value.encode(errors="replace")
    return b"" if isinstance(value, h5py.Empty) else np.asarray(value).tobytes()


def check_readable(where: str, dataset: Any) -> None:
    """Check that an HDF5 object is a dataset, and that the filter it is compressed with is available."""
    if not isinstance(dataset, h5py.Dataset):
        raise JetsError("is a group, not a dataset", where=where, remedy="write it in a layout of docs/jets.md")
    _check_sources(where, dataset)
    creation = dataset.id.get_create_plist()
    for number, _, _, name in (creation.get_filter(i) for i in range(creation.get_nfilters())):
        if not h5py.h5z.filter_avail(number):
            raise JetsError(
                f"is compressed by HDF5 filter {number} {name.decode(errors='replace')}".rstrip()
                + ", which is not available here",
                where=where,
                remedy="write it again with gzip or blosc",
            )


def _check_sources(where: str, dataset: Any) -> None:
    """Check that data kept in other files are there: HDF5 reads what is missing as zeros."""
    folder = Path(dataset.file.filename).parent
    if dataset.is_virtual:
        for source in dataset.virtual_sources():
            if not _has_source(dataset, folder, source):
                raise JetsError(
                    f"is virtual, and its source {source.dset_name!r} in {source.file_name!r} is missing or too short",
                    where=where,
                    remedy="put that file next to it, or copy the data into this file",
                )
    for name, offset, size in dataset.external or ():
        file = folder / name
        if not file.is_file() or file.stat().st_size < offset + min(size, dataset.nbytes):
            raise JetsError(
                f"is stored in {name!r}, which is missing or too short",
                where=where,
                remedy="put that file next to it, or copy the data into this file",
            )


def _has_source(dataset: Any, folder: Path, source: Any) -> bool:
    if source.file_name == ".":
        return _has_values(dataset.file, source)
    path = folder / source.file_name
    if not path.is_file():
        return False
    with h5py.File(path, "r") as file:
        return _has_values(file, source)


def _has_values(file: Any, source: Any) -> bool:
    found = file.get(source.dset_name)
    wanted = source.vspace.get_select_npoints()
    unlimited = not 0 <= wanted < 2**63
    return isinstance(found, h5py.Dataset) and (unlimited or found.size >= wanted)

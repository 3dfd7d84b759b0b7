"""Checks of HDF5 datasets before they are read: number type, shape and compression."""

from __future__ import annotations

from typing import Any

import h5py

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


def check_readable(where: str, dataset: Any) -> None:
    """Check that an HDF5 object is a dataset, and that the filter it is compressed with is available."""
    if not isinstance(dataset, h5py.Dataset):
        raise JetsError("is a group, not a dataset", where=where, remedy="write it in a layout of docs/jets.md")
    creation = dataset.id.get_create_plist()
    for number, _, _, name in (creation.get_filter(i) for i in range(creation.get_nfilters())):
        if not h5py.h5z.filter_avail(number):
            raise JetsError(
                f"is compressed by HDF5 filter {number} {name.decode(errors='replace')}".rstrip()
                + ", which is not available here",
                where=where,
                remedy="write it again with gzip or blosc",
            )

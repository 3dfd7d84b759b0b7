"""Opening a jet file: detecting its layout, and reporting everything that may be wrong with it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

# registers the compression filters of PyTables (blosc and others) with HDF5
import hdf5plugin  # noqa: F401

from nanopelican_hls.errors import JetsError, NanopelicanError
from nanopelican_hls.extras import require
from nanopelican_hls.jets.readers.classes import Wanted
from nanopelican_hls.jets.readers.datasets import attribute_bytes
from nanopelican_hls.jets.readers.interface import Reader
from nanopelican_hls.jets.readers.jetclass import JetClassReader
from nanopelican_hls.jets.readers.level1 import Level1Reader
from nanopelican_hls.jets.readers.lhc_jets import LhcJetsReader
from nanopelican_hls.jets.readers.pelican import PelicanReader
from nanopelican_hls.jets.readers.top_tagging import TopTaggingReader

#: in the order in which they are tried
HDF5_LAYOUTS: tuple[type[Reader], ...] = (PelicanReader, TopTaggingReader, LhcJetsReader, Level1Reader)
ROOT_LAYOUTS: tuple[type[Reader], ...] = (JetClassReader,)

#: size of HDF5's cache of decompressed chunks: ranges of jets end inside chunks, which would be decompressed twice
CACHE_BYTES = 64 * 2**20
#: raised by h5py and uproot for damaged files
_DAMAGE = (OSError, KeyError, RuntimeError, ValueError, IndexError, struct.error, zlib.error)


@contextmanager
def open_file(path: Path, wanted: Wanted) -> Iterator[Reader]:
    """Open a jet file and yield its reader.

    Raises
    ------
    JetsError
        If the file cannot be opened; if it is in no known layout, listing the layouts tried and what was found; or if
        it turns out to be damaged, by an error of h5py or uproot while it is read.
    """
    _check_file(path)
    try:
        if _magic(path) == b"root":
            require("uproot", "a ROOT file", JetsError, str(path))
            import uproot

            with _any_damage(), uproot.open(path) as file:
                yield _reader(path, file, ROOT_LAYOUTS, wanted)
        else:
            with h5py.File(path, "r", rdcc_nbytes=CACHE_BYTES) as file:
                _check_links(path, file)
                yield _reader(path, file, HDF5_LAYOUTS, wanted)
    except BlockingIOError as error:
        raise JetsError(
            "is locked: another program writes it",
            where=str(path),
            remedy="wait until it has closed the file, or copy the file; on a file system without locks, set "
            "HDF5_USE_FILE_LOCKING=FALSE",
        ) from error
    except MemoryError as error:
        raise JetsError(
            "declares more data than there is memory", where=str(path), remedy="it is damaged: write or copy it again"
        ) from error
    except _DAMAGE as error:
        if "already open for write" in str(error):
            raise JetsError(
                "was left open by a program that did not end properly, or is still being written",
                where=str(path),
                remedy=f"write it again; if its data are whole: h5clear --status {path}",
            ) from error
        raise JetsError(
            f"is truncated or damaged ({error})", where=str(path), remedy="write or copy it again"
        ) from error


@contextmanager
def _any_damage() -> Iterator[None]:
    """Make a ValueError of whatever is raised: uproot interprets a file, so damage may end in any kind of error."""
    try:
        yield
    except (NanopelicanError, *_DAMAGE):
        raise
    except Exception as error:
        raise ValueError(" ".join(f"{type(error).__name__}: {error}".split())) from error


def _reader(path: Path, file: Any, layouts: Sequence[type[Reader]], wanted: Wanted) -> Reader:
    for layout in layouts:
        if layout.recognises(file):
            return layout(path, file, wanted)
    _check_pandas(path, file)
    found = ", ".join(map(repr, file)) or "none at all"
    tried = "; ".join(f"{layout.layout} ({layout.identified_by})" for layout in layouts)
    raise JetsError(
        f"has no {layouts[0].identified_by}; it has {found}. Layouts tried: {tried}",
        where=str(path),
        remedy="write the constituents as Pmu [jets, constituents, 4], (E, px, py, pz) in GeV (docs/jets.md)",
    )


def _check_links(path: Path, file: Any) -> None:
    """Reject links to what does not exist; h5py says they are there, and then fails."""
    for name in file:
        link = file.get(name, getlink=True)
        if isinstance(link, h5py.HardLink) or file.get(name) is not None:
            continue
        if link is None:
            raise KeyError(f"{name} is listed, but not there")
        target = link.path if isinstance(link, h5py.SoftLink) else f"{link.path} of {link.filename}"
        raise JetsError(
            f"is a link to {target}, which cannot be opened",
            where=f"{path}: {name}",
            remedy="put that file where the link says, or copy the data into this file",
        )


def _check_pandas(path: Path, file: Any) -> None:
    """Name what to write instead of a pandas frame of another form or key than the top-tagging set's."""
    for name, group in file.items():
        kind = attribute_bytes(getattr(group, "attrs", {}), "pandas_type")
        if kind.startswith((b"frame", b"wide")):
            form = "fixed format" if kind == b"frame" else f"key {name!r}"
            raise JetsError(
                f"is a pandas frame of {form}",
                where=f"{path}: {name}",
                remedy='write it with to_hdf(path, key="table", format="table")',
            )


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise JetsError(
            "is a folder" if path.is_dir() else "does not exist", where=str(path), remedy="name an HDF5 file of jets"
        )
    if path.stat().st_size == 0:
        raise JetsError("is empty (0 bytes)", where=str(path), remedy="write or copy it again")
    if _magic(path) != b"root" and not h5py.is_hdf5(path):
        raise JetsError(
            "is neither an HDF5 nor a ROOT file",
            where=str(path),
            remedy="use a file of jets in one of the layouts of docs/jets.md",
        )


def _magic(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise JetsError(
            f"cannot be read ({error.strerror})", where=str(path), remedy="check its permissions"
        ) from error

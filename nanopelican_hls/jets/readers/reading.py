"""Reading jets from files of any layout, at once or in chunks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.readers.classes import Wanted
from nanopelican_hls.jets.readers.interface import Reader
from nanopelican_hls.jets.readers.opening import open_file
from nanopelican_hls.jets.readers.plausibility import warn_of_empty_jets, warn_of_units

logger = logging.getLogger(__name__)

#: jets per chunk: a few hundred megabytes at most, and enough to make the overhead per chunk negligible
CHUNK_JETS = 4000


def read_jets(
    path: str | Path,
    events: int | None = None,
    *,
    signal: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> Jets:
    """Read the first ``events`` jets of a file, or all of them.

    Parameters
    ----------
    path : str or Path
        A file in any of the layouts of docs/jets.md; the layout is detected from its content.
    events : int, optional
        Number of jets; all if None or if the file has fewer.
    signal : sequence of str, optional
        For a layout with several classes: those that count as signal (label 1); the others are background.
    classes : sequence of str, optional
        Classes for labels 0, 1, ... (`Jets.classes`), by their names in the file; case is ignored.

    Raises
    ------
    JetsError
        If the file does not exist, is in no known layout, is truncated or holds no jets, if datasets or columns are
        missing, have the wrong shape or type or differ in length, if the file lacks a class in ``classes`` or a jet
        has one that is not in it, or if `Jets` rejects the values.
    """
    with _opened(path, events, Wanted(signal, classes)) as (reader, stop):
        return _read(Path(path), reader, 0, stop)


def iterate_jets(
    path: str | Path,
    chunk: int = CHUNK_JETS,
    *,
    events: int | None = None,
    signal: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> Iterator[Jets]:
    """Read the jets of a file in order, ``chunk`` at a time, with only one chunk in memory.

    Every chunk has the same number of places for constituents. Arguments and errors are those of `read_jets`; an error
    in a later chunk is raised when that chunk is read.

    Parameters
    ----------
    chunk : int
        Jets per chunk; the last one may have fewer.
    """
    if chunk < 1:
        raise JetsError(f"cannot read {chunk} jets at a time", where=str(path), remedy="read at least 1")
    with _opened(path, events, Wanted(signal, classes)) as (reader, end):
        for start in range(0, end, chunk):
            yield _read(Path(path), reader, start, min(start + chunk, end))


@contextmanager
def _opened(path: str | Path, events: int | None, wanted: Wanted) -> Iterator[tuple[Reader, int]]:
    """The reader of a file, and the number of jets to read."""
    if events is not None and events < 1:
        raise JetsError(f"cannot read {events} jets", where=str(path), remedy="ask for at least 1, or for all (None)")
    with open_file(Path(path), wanted) as reader:
        yield reader, len(reader) if events is None else min(events, len(reader))


def _read(path: Path, reader: Reader, start: int, stop: int) -> Jets:
    try:
        jets = reader.read(start, stop)
    except MemoryError as error:
        raise JetsError(
            f"its jets {start} to {stop - 1} need more memory than there is",
            where=str(path),
            remedy="read fewer at a time (events, or iterate_jets); or it is damaged: write or copy it again",
        ) from error
    except JetsError as error:
        place = f"{path}, jets from {start} on" if start else str(path)
        raise JetsError(error.what, where=f"{place}: {error.where}", remedy=error.remedy) from error
    if start == 0:
        warn_of_units(jets, str(path))
    warn_of_empty_jets(jets, str(path), start)
    return jets.read_from(str(path))

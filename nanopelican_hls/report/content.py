"""What a report says, as plain data: every rendering, and the comparison of two reports, starts from it.

A `Report` is a list of sections, a `Section` a list of blocks. Each block names the command that its content comes
from. `as_json` and `from_json` are inverses, so a report can be rendered or compared long after it was made.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from nanopelican_hls.errors import ReportError

#: of the JSON; another one is not read
FORMAT = 1


@dataclass(frozen=True)
class Measured:
    """A figure with its standard deviation; a ``bound`` is a lower one, at the confidence that metrics.py states."""

    value: float
    error: float
    bound: bool = False


@dataclass(frozen=True)
class Counts:
    """A histogram in bins of equal width over the range of a type, from its lowest to its highest value."""

    counts: tuple[int, ...]


#: of a table; None: unknown
Cell = str | int | float | Measured | Counts | None


@dataclass(frozen=True)
class Column:
    """A column: title, format of its numbers, and unit; ``compared``: two reports are compared in it."""

    title: str
    form: str = ","
    unit: str = ""
    compared: bool = True


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    kind: ClassVar[str] = "paragraph"
    text: str


@dataclass(frozen=True)
class Code:
    """Text of fixed width, with a title; a command, if it can be run in a shell."""

    kind: ClassVar[str] = "code"
    title: str
    text: str


@dataclass(frozen=True)
class Missing:
    """What has not been run, with the command that does it."""

    kind: ClassVar[str] = "missing"
    what: str
    command: str


@dataclass(frozen=True)
class Table:
    """A table; the first ``names`` columns say what a row is about.

    NaN and infinity, which too few jets leave and JSON does not have, become None. ``folded`` tables are long, and
    closed until the reader opens them. The ``title`` is in place of the whole caption where that is too long; if there
    is none, the caption's beginning is.
    """

    kind: ClassVar[str] = "table"
    key: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    command: str
    names: int = 1
    folded: bool = False
    title: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(tuple(map(_finite, row)) for row in self.rows))

    def short_title(self) -> str:
        """The title, or the first sentence of the caption: without brackets, and up to a colon."""
        first, _, _ = self.caption.partition(". ")
        return self.title or re.sub(r" \([^()]*\)", "", first).partition(": ")[0].rstrip(".")


@dataclass(frozen=True)
class Series:
    """Points of a picture; ``role`` is its colour, one for the same thing on the whole page.

    Attributes
    ----------
    style : ``line``, ``points``, ``steps`` (y between the edges x, one more than y), or ``band`` (y to high, no line).
    error : of y: bars of points, a band about a line.
    dashed : a dashed line, open points.
    high : upper end of a band.
    x_error : half widths of the bins.
    """

    label: str
    role: str
    style: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    error: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    x_error: tuple[float, ...] = ()
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """Axes with a common x; limits are (low, high)."""

    label: str
    series: tuple[Series, ...]
    log: bool = False
    limits: tuple[float, float] | None = None
    legend: bool = True


@dataclass(frozen=True)
class Picture:
    """Panels above each other, with a common x axis; ``alt`` says in words what can be seen.

    ``compared`` is the caption of the curves of the model alone, if the caption is of others too.
    """

    kind: ClassVar[str] = "picture"
    key: str
    caption: str
    alt: str
    label: str
    panels: tuple[Panel, ...]
    command: str
    log: bool = False
    limits: tuple[float, float] | None = None
    ticks: tuple[float, ...] = ()
    compared: str = ""


@dataclass(frozen=True)
class Box:
    """A node of a diagram: a title, lines of text below it, and what it is (``port``, ``operator``, ``output``)."""

    name: str
    title: str
    lines: tuple[str, ...]
    role: str


@dataclass(frozen=True)
class Arrow:
    """An edge of a diagram, from a box to a box, with a text."""

    start: str
    end: str
    text: str


@dataclass(frozen=True)
class Diagram:
    """A directed graph, drawn from top to bottom."""

    kind: ClassVar[str] = "diagram"
    key: str
    caption: str
    alt: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    command: str


Block = Paragraph | Code | Missing | Table | Picture | Diagram
KINDS: dict[str, type[Block]] = {each.kind: each for each in (Paragraph, Code, Missing, Table, Picture, Diagram)}


@dataclass(frozen=True)
class Section:
    """A chapter; ``question`` is what it answers."""

    key: str
    title: str
    question: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Figure:
    """A figure of the headline, as text, with the section that it comes from."""

    title: str
    text: str
    note: str
    section: str


@dataclass(frozen=True)
class Report:
    """A whole report of ``models``, one or two that are compared; ``differs``: executors do not agree."""

    title: str
    models: tuple[str, ...]
    command: str
    headline: tuple[Figure, ...]
    differs: bool
    sections: tuple[Section, ...]

    def section(self, key: str) -> Section | None:
        return next((each for each in self.sections if each.key == key), None)

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **_plain(self)}

    @classmethod
    def from_json(cls, content: Any, where: str) -> Report:
        """The report of `as_json`.

        Raises
        ------
        ReportError
            If it is something else, or of another version.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ReportError("is not a report of this version", where=where, remedy=REMEDY)
        try:
            return typing.cast(Report, _read(cls, {k: v for k, v in content.items() if k != "format"}))
        except (TypeError, KeyError, ValueError) as error:
            raise ReportError(f"is not a report ({error})", where=where, remedy=REMEDY) from error


REMEDY = "write it again: nanopelican report CONFIG"


def read_report(path: Path) -> Report:
    """Read ``report.json``; a `ReportError` if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReportError(f"cannot be read ({error})", where=str(path), remedy=REMEDY) from error
    return Report.from_json(content, str(path))


def _finite(cell: Cell) -> Cell:
    values = (cell.value, cell.error) if isinstance(cell, Measured) else (cell,)
    return None if any(isinstance(value, float) and not math.isfinite(value) for value in values) else cell


def text(cell: Cell, column: Column) -> str:
    """A cell as text, without its unit."""
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Counts):
        return _blocks(cell.counts)
    if isinstance(cell, Measured):
        form = column.form
        if cell.bound:
            return f"> {cell.value:{form}}"
        if form == ",.0f" and cell.error < 2:
            form = ",.1f"
        return f"{cell.value:{form}} ± {cell.error:{form}}"
    if isinstance(cell, float) and column.form == ",":
        return f"{cell:,g}"
    return format(cell, column.form)


def number(cell: Cell) -> float | None:
    """What a cell is sorted by, and compared as; None for text."""
    if isinstance(cell, Measured):
        return cell.value
    return cell if isinstance(cell, int | float) else None


def _blocks(counts: Sequence[int]) -> str:
    """A histogram as a line of text, in 16 groups of bins, with logarithmic heights."""
    size = max(1, -(-len(counts) // 16))
    groups = [sum(counts[k : k + size]) for k in range(0, len(counts), size)]
    most = math.log1p(max(groups)) or 1.0
    return "".join(" ▁▂▃▄▅▆▇█"[math.ceil(8 * math.log1p(group) / most)] for group in groups)


def _plain(value: Any) -> Any:
    """Dataclasses as dictionaries, blocks with their kind."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind: dict[str, Any] = {"kind": value.kind} if isinstance(value, Block) else {}
        return kind | {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value


def _read(wanted: Any, content: Any) -> Any:
    """The value of a type that `_plain` has written."""
    if wanted is Block or wanted == Block:
        kind = KINDS[content["kind"]]
        return _read(kind, {name: value for name, value in content.items() if name != "kind"})
    if wanted == Cell:
        if isinstance(content, dict):
            return _read(Counts if "counts" in content else Measured, content)
        return content
    if isinstance(wanted, types.UnionType):
        wanted = next(each for each in typing.get_args(wanted) if each is not type(None))
        return None if content is None else _read(wanted, content)
    if typing.get_origin(wanted) is tuple:
        inner = typing.get_args(wanted)[0]
        return tuple(_read(inner, each) for each in content)
    if dataclasses.is_dataclass(wanted):
        hints = typing.get_type_hints(wanted)
        make: Any = wanted
        return make(**{name: _read(hints[name], value) for name, value in content.items()})
    return content

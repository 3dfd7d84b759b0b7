"""The C++ of a block of jets while it is written: loops, arrays, tables and names."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.emulator.names import identifier
from nanopelican_hls.emulator.number import Number, cpp_type
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import pairs

INDENT = "    "
#: longest first axis whose places are written out; those of other axes, the channels, always are
WRITTEN_OUT = 4
#: of lines, without their indentation
WIDTH = 100


@dataclass(frozen=True)
class Index:
    """A place along an axis: a variable, whose value is in ``low`` ... ``high - 1``, plus an offset.

    The text is '' for a known place.
    """

    text: str
    low: int
    high: int
    offset: int = 0

    @classmethod
    def known(cls, place: int) -> Index:
        return cls("", place, place + 1, place)

    @property
    def place(self) -> int | None:
        return None if self.text else self.low

    def __add__(self, offset: int) -> Index:
        return Index(self.text, self.low + offset, self.high + offset, self.offset + offset)

    def __str__(self) -> str:
        if not self.text or not self.offset:
            return self.text or str(self.offset)
        return f"{self.text} {'+' if self.offset > 0 else '-'} {abs(self.offset)}"


def subscript(index: Sequence[Index]) -> str:
    return "".join(f"[{i}]" for i in index)


@dataclass
class Loop:
    """A loop over the first axis of an array, or none, around one over the jets.

    Attributes
    ----------
    taken : names of what is defined outside.
    index : of the loop; None where all places are known.
    places : variables that the loop sets, by their expressions.
    lines : body of the loop over the jets.
    known : numbers that have a variable there, by name and index of their tensor.
    """

    taken: Collection[str]
    index: Index | None = None
    places: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    known: dict[tuple[str, tuple[Index, ...]], Number] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def place(self, wanted: str, expression: str) -> str:
        """A variable of the loop for an index; its name is reserved."""
        if expression not in self.places:
            number = sum(name.startswith(wanted) for name in self.places.values()) + 1
            self.places[expression] = f"{wanted}_{number}" if number > 1 else wanted
        return self.places[expression]

    def define(self, tensor: str, suffix: str, kind: str, text: str) -> str:
        """A variable of a jet for an element of a tensor."""
        name = identifier(tensor + suffix, self.names | ({*self.taken} - {tensor}))
        self.names.add(name)
        self.lines.append(f"const {kind} {name} = {text};")
        return name


class Code:
    """What has been written so far.

    Attributes
    ----------
    arrays : declarations of arrays that later loops read, by name.
    passing : declarations of arrays of tensors that are stored only on request, by name.
    tables : definitions of constant tables; those of parameters have their names.
    lines : statements for a block of jets.
    """

    def __init__(self, names: Iterable[str], constants: Iterable[str]) -> None:
        self.constants = frozenset(constants)
        self.names = {*names, *self.constants}
        self.arrays: dict[str, str] = {}
        self.passing: dict[str, str] = {}
        self.tables: list[str] = []
        self.lines: list[str] = []
        self._tables: dict[tuple[bytes, tuple[int, ...]], str] = {}

    def array(self, wanted: str, shape: Sequence[int], values: FixedRange) -> str:
        """A new array of temporary numbers."""
        name = identifier(wanted, self.names)
        self.names.add(name)
        self.arrays[name] = declaration(name, shape, values)
        return name

    def table(self, wanted: str, integers: NDArray[np.int64], values: FixedRange, comment: str = "") -> str:
        """The name of a constant table; equal ones share it."""
        key = (integers.tobytes(), integers.shape)
        if key not in self._tables:
            name = self._tables[key] = wanted if wanted in self.constants else identifier(wanted, self.names)
            self.names.add(name)
            self.tables += _table(name, integers, cpp_type(values), comment)
        return self._tables[key]

    def places(self, wanted: str, index: NDArray[np.intp]) -> str:
        """The name of a table of places along an axis."""
        for particles in range(2, 2 + int(np.sqrt(2 * len(index))) if index.ndim == 1 else 0):
            for order, found in zip(("first", "second"), pairs(particles), strict=True):
                if np.array_equal(index, found):
                    wanted = f"{order}_of_{particles}"
        return self.table(wanted, index.astype(np.int64), FixedRange.of_values(index))

    def write(self, loop: Loop, outer: Index | None = None) -> None:
        """Append a loop, inside of another one if given."""
        lines = [line for statement in loop.lines for line in wrapped(statement)]
        written = ["FOR_EACH_JET {", *(INDENT + line for line in lines), "}"]
        if loop.index is not None:
            places = [f"const int {name} = {expression};" for expression, name in loop.places.items()]
            written = _over(loop.index, [*places, *written])
        self.lines += written if outer is None else _over(outer, written)


def loops(code: Code, shape: Sequence[int], cuts: Iterable[int]) -> Iterator[tuple[Loop, list[list[Index]]]]:
    """The loops that visit every element of an array once, with the indices in each.

    Parameters
    ----------
    code : Code
    shape : sequence of int
        Of the array; its first axis, that of the jets, has no index.
    cuts : iterable of int
        Places along the next axis where loops are divided.
    """
    edges = sorted({0, *shape[1:2], *cuts})
    if shape[1:] and shape[1] <= WRITTEN_OUT:
        edges = list(range(shape[1] + 1))
    rest = [[Index.known(k) for k in range(length)] for length in shape[2:]]
    for single, parts in itertools.groupby(itertools.pairwise(edges), key=lambda part: part[1] - part[0] == 1):
        if single:
            known = [Index.known(start) for start, _ in parts]
            yield Loop(code.names), [list(at) for at in itertools.product(known, *rest)]
        else:
            for start, stop in parts:
                i = Index("i", start, stop)
                yield Loop(code.names, i), [list(at) for at in itertools.product([i], *rest)]
    if len(shape) == 1:
        yield Loop(code.names), [[]]


def wrapped(statement: str) -> list[str]:
    return textwrap.wrap(statement, WIDTH, subsequent_indent=INDENT, break_long_words=False, break_on_hyphens=False)


def _over(index: Index, lines: Sequence[str]) -> list[str]:
    i, low, high = index.text, index.low - index.offset, index.high - index.offset
    return [f"for (int {i} = {low}; {i} < {high}; {i}++) {{", *(INDENT + line for line in lines), "}"]


def declaration(name: str, shape: Sequence[int], values: FixedRange) -> str:
    """An array of numbers of a block of jets, with its type and grid."""
    sizes = "".join(f"[{length}]" for length in shape)
    return f"{cpp_type(values)} {name}{sizes}[LANES]; // {described(values)}"


def described(values: FixedRange) -> str:
    """A range in words."""
    return f"{values.low} ... {values.high}, in units of 2^{values.exponent}"


def _table(name: str, integers: NDArray[np.int64], kind: str, comment: str) -> list[str]:
    rows = integers.reshape(len(integers), -1)
    text = ", ".join(_row(row, integers.ndim) for row in rows.tolist())
    sizes = "".join(f"[{length}]" for length in integers.shape)
    head = f"constexpr {kind} {name}{sizes} = {{" + (f" // {comment}" if comment else "")
    return [head, *(INDENT + line for line in textwrap.wrap(text, WIDTH)), "};"]


def _row(row: list[int], axes: int) -> str:
    text = ", ".join(map(str, row))
    return text if axes == 1 else f"{{{text}}}"

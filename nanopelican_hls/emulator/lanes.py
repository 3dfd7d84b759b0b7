"""Arrays of the numbers of one jet that write C++ loops while `Operator.compute` runs on them.

`Lanes` implements the array protocol of `Operator.compute` (operators/_arrays.py), so the semantics of an operator,
written once, writes its own C++. An array is a function from indices to an expression: elementwise operations only
compose expressions, and a loop is written where an array is stored, or summed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanopelican_hls.emulator.code import WRITTEN_OUT, Code, Index, Loop, loops, subscript
from nanopelican_hls.emulator.elementwise import Elementwise
from nanopelican_hls.emulator.number import Number
from nanopelican_hls.fixed_point import FixedRange

Shape = tuple[int, ...]
Element = Callable[[Loop, Sequence[Index]], Number]

#: the place along the axis of the jets, which no expression uses
JETS = Index.known(0)


class Lanes(Elementwise):
    """An array [1, ...] of expressions; its first axis is that of the jets. Constants lack it.

    Parameters
    ----------
    code : Code
        Where loops and constants are written.
    name : str
        From which temporary arrays have their names.
    shape : tuple of int
    element : callable
        The expression in a loop at an index for each axis; that of the jets is ignored.
    cuts : frozenset of int
        Places along the first axis after that of the jets where loops are divided, as expressions differ there.
    stored : bool
        Whether the elements are variables, and not expressions to compute.
    """

    def __init__(
        self,
        code: Code,
        name: str,
        shape: Shape,
        element: Element,
        cuts: frozenset[int] = frozenset(),
        *,
        stored: bool = False,
    ) -> None:
        self.code, self.name, self.shape, self.stored = code, name, shape, stored
        self.element, self.cuts = element, cuts

    @classmethod
    def variable(cls, code: Code, name: str, shape: Shape, values: FixedRange) -> Lanes:
        """The array of variables ``name[...][jet]``."""

        def element(_: Loop, index: Sequence[Index]) -> Number:
            return Number.variable(f"{name}{subscript(index[1:])}[jet]", values)

        return cls(code, name, shape, element, stored=True)

    @classmethod
    def constant(cls, code: Code, name: str, value: ArrayLike) -> Lanes:
        """A constant array; entries at known places are written as literals."""
        array = np.asarray(value, dtype=np.float64)
        values = FixedRange.of_values(array)
        if array.ndim == 0:
            values = values.at(min(values.exponent, 0))  # easier to read
        integers = np.ldexp(array, -values.exponent).astype(np.int64)

        def element(_: Loop, index: Sequence[Index]) -> Number:
            places = [i.place for i in index]
            if None not in places:
                return Number.literal(int(integers[tuple(places)]), values.exponent)
            table = code.table(name, integers, values, f"in units of 2^{values.exponent}")
            return Number.variable(f"{table}{subscript(index)}", values)

        # a row for all jets is written out
        cuts = frozenset(range(1, array.shape[1])) if array.ndim > 1 and len(array) == 1 else frozenset[int]()
        return cls(code, name, array.shape, element, cuts, stored=True)

    def loop(self, index: Index | None = None) -> Loop:
        return Loop(self.code.names, index)

    def elements(self) -> list[tuple[Loop, list[tuple[list[Index], Number]]]]:
        """Loops, with the indices and the numbers in each."""
        return [
            (loop, [(at, self.element(loop, [JETS, *at])) for at in places])
            for loop, places in loops(self.code, self.shape, self.cuts)
        ]

    def _like(self, element: Element) -> Lanes:
        return Lanes(self.code, self.name, self.shape, element, self.cuts)

    def _each(self, function: Callable[[Number], Number]) -> Lanes:
        return self._like(lambda loop, index: function(self.element(loop, index)))

    def _operand(self, value: Lanes | ArrayLike) -> Lanes:
        return value if isinstance(value, Lanes) else Lanes.constant(self.code, f"{self.name}_constant", value)

    def _binary(self, function: Callable[[Number, Number], Number], other: Lanes | ArrayLike) -> Lanes:
        """Elementwise, with numpy's rules of broadcasting."""
        operands = (self, self._operand(other))
        shape = np.broadcast_shapes(*(x.shape for x in operands))
        # only arrays with all axes have the first one
        cuts = frozenset().union(*(x.cuts for x in operands if len(x.shape) == len(shape) and x.shape[1:2] != (1,)))

        def element(loop: Loop, index: Sequence[Index]) -> Number:
            return function(*(x.element(loop, _broadcast(index, x.shape)) for x in operands))

        return Lanes(self.code, self.name, shape, element, cuts)

    def in_memory(self) -> Lanes:
        """The same array, with all elements stored in a temporary array, unless they are variables already."""
        if not self.stored:
            written = self.elements()
            values = FixedRange.union(number.range for _, numbers in written for _, number in numbers)
            self.store(self.code.array(f"{self.name}_part", self.shape[1:], values), values, written)
        return self

    def store(
        self, name: str, values: FixedRange, written: Sequence[tuple[Loop, list[tuple[list[Index], Number]]]]
    ) -> None:
        """Write the loops that store all elements in an array, which later uses read."""
        for loop, numbers in written:
            loop.lines += [f"{name}{subscript(at)}[jet] = {x.at(values.exponent).text};" for at, x in numbers]
            self.code.write(loop)
        self.element = Lanes.variable(self.code, name, self.shape, values).element
        self.cuts, self.stored = frozenset(), True

    def sum(self, axis: int) -> Lanes:
        """Sums along an axis; along a long one, written as loops that add to variables."""
        if axis != 1 or self.shape[1] <= WRITTEN_OUT:
            return self._written_out_sum(axis)
        written = self.elements()
        exponent = min(number.range.exponent for _, numbers in written for _, number in numbers)
        totals: dict[str, FixedRange] = {}
        for _, numbers in written:
            for at, x in numbers:
                kept, total = subscript(at[1:]), x.range.times(at[0].high - at[0].low)
                totals[kept] = totals[kept] + total if kept in totals else total
        values = FixedRange.union([FixedRange(0, 0, exponent), *totals.values()])
        shape = (self.shape[0], *self.shape[2:])
        name = self.code.array(f"{self.name}_total", shape[1:], values)
        zero = self.loop()
        zero.lines += [f"{name}{kept}[jet] = 0;" for kept in totals]
        self.code.write(zero)
        for loop, numbers in written:
            loop.lines += [f"{name}{subscript(at[1:])}[jet] += {x.at(exponent).text};" for at, x in numbers]
            self.code.write(loop)
        return Lanes.variable(self.code, name, shape, values)

    def _written_out_sum(self, axis: int) -> Lanes:
        def element(loop: Loop, index: Sequence[Index]) -> Number:
            places = [[*index[:axis], Index.known(k), *index[axis:]] for k in range(self.shape[axis])]
            total, *more = [self.element(loop, at) for at in places]
            return sum(more, start=total)

        shape = (*self.shape[:axis], *self.shape[axis + 1 :])
        return Lanes(self.code, self.name, shape, element, self.cuts if axis > 1 else frozenset())

    def __matmul__(self, other: ArrayLike) -> Lanes:
        """Product [1, n] with a matrix of 0 and 1, with as many 1 in each column: sums of elements."""
        source = self.in_memory()
        terms = np.stack([np.flatnonzero(column) for column in np.asarray(other).T])
        table, (columns, count) = self.code.places(f"{self.name}_terms", terms), terms.shape
        i, j = Index("i", 0, columns), Index("j", 0, count)
        zero, loop = self.loop(i), self.loop(j)
        term = source.element(loop, [JETS, Index(loop.place("place", f"{table}[i][j]"), 0, self.shape[1])])
        values = term.range.times(count)
        name = self.code.array(f"{self.name}_total", (columns,), values)
        zero.lines.append(f"{name}[i][jet] = 0;")
        loop.lines.append(f"{name}[i][jet] += {term.text};")
        self.code.write(zero)
        self.code.write(loop, outer=i)
        return Lanes.variable(self.code, name, (1, columns), values)

    def take(self, index: NDArray[np.intp], axis: int) -> Lanes:
        """Elements at constant places along the first axis."""
        assert axis == 1
        source, table = self.in_memory(), self.code.places(f"{self.name}_places", index)

        def element(loop: Loop, at: Sequence[Index]) -> Number:
            if at[1].place is not None:
                found = Index.known(int(index[at[1].place]))
            else:
                found = Index(loop.place(table.split("_of_")[0], f"{table}[{at[1]}]"), 0, source.shape[1])
            return source.element(loop, [at[0], found, *at[2:]])

        return Lanes(self.code, self.name, (self.shape[0], len(index), *self.shape[2:]), element)

    def __getitem__(self, key: Lanes | tuple[slice | None, ...]) -> Lanes:
        """Rows of a constant table at an index that depends on the jet; or slices of the first axis, and new axes."""
        if isinstance(key, Lanes):
            return self._rows(key)
        source = self
        part = next((k for k in key[1:] if k is not None), slice(None))
        start, stop, _ = part.indices(self.shape[1]) if len(self.shape) > 1 else (0, 0, 1)
        if len(self.shape) > 1 and (key[1:2] == (None,) or (start, stop) != (0, self.shape[1])):
            source = self.in_memory()  # used several times, or in part
        kept = iter(range(len(self.shape)))
        axes = [None if k is None else next(kept) for k in key]
        axes += list(kept)
        lengths = [self.shape[0], stop - start, *self.shape[2:]]
        shape = tuple(1 if axis is None else lengths[axis] for axis in axes)

        def element(loop: Loop, index: Sequence[Index]) -> Number:
            at = [i + start * (axis == 1) for i, axis in zip(index, axes, strict=True) if axis is not None]
            return source.element(loop, at)

        # a part of an array has no cuts: it is in memory
        return Lanes(self.code, self.name, shape, element, source.cuts if axes[1:2] == [1] else frozenset())

    def _rows(self, key: Lanes) -> Lanes:
        count = len(key.shape)

        def element(loop: Loop, index: Sequence[Index]) -> Number:
            row = key.element(loop, index[:count])
            place = Index(row.text, 0, self.shape[0]) if row.value is None else Index.known(row.value)
            return self.element(loop, [place, *index[count:]])

        return Lanes(self.code, self.name, (*key.shape, *self.shape[1:]), element, key.cuts)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The numpy functions that `operators._arrays` needs."""
        if function is np.take:
            array, index = args
            return array.take(index, **kwargs)
        if function is np.concatenate:
            arrays, axis = args
            assert axis == 1
            return self._concatenated([self._operand(array) for array in arrays])
        return NotImplemented

    def _concatenated(self, arrays: Sequence[Lanes]) -> Lanes:
        ends = list(itertools.accumulate(array.shape[1] for array in arrays))
        starts = [0, *ends[:-1]]
        inner = ({start + cut for cut in array.cuts} for start, array in zip(starts, arrays, strict=True))
        cuts = frozenset(ends[:-1]).union(*inner)

        def element(loop: Loop, index: Sequence[Index]) -> Number:
            for array, start, end in zip(arrays, starts, ends, strict=True):
                if start <= index[1].low and index[1].high <= end:
                    return array.element(loop, [index[0], index[1] + -start, *index[2:]])
            raise AssertionError("a loop crosses the seam of a concatenation")

        return Lanes(self.code, self.name, (arrays[0].shape[0], ends[-1], *arrays[0].shape[2:]), element, cuts)


def _broadcast(index: Sequence[Index], shape: Shape) -> list[Index]:
    """The last indices, one for each axis of an operand; axes of length 1 have only the place 0."""
    last = index[len(index) - len(shape) :]
    return [JETS if length == 1 else i for i, length in zip(last, shape, strict=True)]

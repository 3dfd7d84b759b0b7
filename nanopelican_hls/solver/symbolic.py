"""Arrays of symbolic numbers of one jet, on which `Operator.compute` runs unchanged: the reference of a proof.

`Numbers` implements the array protocol of `Operator.compute` (operators/_arrays.py). So what is proved equal to the
firmware is the definition of the operator itself, and not a second version of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding
from nanopelican_hls.solver.integer import Integer, Space


@dataclass(frozen=True)
class Number:
    """An integer times ``2**exponent``."""

    integer: Integer
    exponent: int

    def at(self, exponent: int) -> Integer:
        """The integer on another grid; rounded down if the grid is coarser."""
        return self.integer.floor(exponent - self.exponent)

    def _aligned(self, other: Number) -> tuple[Integer, Integer, int]:
        exponent = min(self.exponent, other.exponent)
        return self.at(exponent), other.at(exponent), exponent

    def __add__(self, other: Number) -> Number:
        a, b, exponent = self._aligned(other)
        return Number(a + b, exponent)

    def __sub__(self, other: Number) -> Number:
        a, b, exponent = self._aligned(other)
        return Number(a - b, exponent)

    def __mul__(self, other: Number) -> Number:
        return Number(self.integer * other.integer, self.exponent + other.exponent)

    def clipped(self, bounds: FixedRange) -> Number:
        exponent = min(self.exponent, bounds.exponent)
        limits = bounds.at(exponent)
        return Number(self.at(exponent).clipped(limits.low, limits.high), exponent)

    def rectified(self) -> Number:
        return Number(self.integer.clipped(0, max(0, self.integer.high)), self.exponent)

    def quantised(self, quantiser: Quantiser) -> Number:
        """After a `Quantiser`: rounded, then saturated."""
        shift = quantiser.exponent - self.exponent
        rounded = self.at(quantiser.exponent)
        if shift > 0 and quantiser.rounding is Rounding.ROUND:
            # just below one half more, and one half if the number below is odd: halves go to the even one
            rounded = (self.integer + ((1 << (shift - 1)) - 1) + rounded.odd()).floor(shift)
        return Number(rounded.clipped(quantiser.low, quantiser.high), quantiser.exponent)


class Numbers:
    """An array of numbers.

    Parameters
    ----------
    space : Space
    values : object array of Number
    """

    __array_ufunc__ = None  # numpy leaves ``ndarray * Numbers`` to `__rmul__`
    dtype = np.dtype(np.float64)

    def __init__(self, space: Space, values: NDArray[np.object_]) -> None:
        self.space, self.values = space, values

    @classmethod
    def inputs(cls, space: Space, name: str, shape: Sequence[int], bounds: Sequence[FixedRange]) -> Numbers:
        """Variables ``name[k]`` of all values of a range each."""
        array = np.empty(len(bounds), dtype=object)
        for k, values in enumerate(bounds):
            array[k] = Number(space.input(f"{name}[{k}]", values.low, values.high), values.exponent)
        return cls(space, array.reshape(1, *shape))

    @classmethod
    def constant(cls, space: Space, value: ArrayLike) -> Numbers:
        array = np.asarray(value, dtype=np.float64)
        exponent = FixedRange.of_values(array).exponent
        integers = np.ldexp(array, -exponent)
        return cls(space, _each(lambda x: Number(space.constant(int(x)), exponent), integers))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    def _each(self, function: Callable[[Number], Number]) -> Numbers:
        return Numbers(self.space, _each(function, self.values))

    def _operand(self, other: Numbers | ArrayLike) -> Numbers:
        return other if isinstance(other, Numbers) else Numbers.constant(self.space, other)

    def _binary(self, function: Callable[[Number, Number], Number], other: Numbers | ArrayLike) -> Numbers:
        result = np.frompyfunc(function, 2, 1)(self.values, self._operand(other).values)
        return Numbers(self.space, np.asarray(result, dtype=object))

    def __add__(self, other: Numbers | ArrayLike) -> Numbers:
        return self._binary(Number.__add__, other)

    def __sub__(self, other: Numbers | ArrayLike) -> Numbers:
        return self._binary(Number.__sub__, other)

    def __mul__(self, other: Numbers | ArrayLike) -> Numbers:
        return self._binary(Number.__mul__, other)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: float) -> Numbers:
        return self * (1 / other)

    def __matmul__(self, other: ArrayLike) -> Numbers:
        return Numbers(self.space, self.values.dot(Numbers.constant(self.space, other).values))

    def __ne__(self, other: object) -> Numbers:  # type: ignore[override]
        assert other == 0
        return self._each(lambda x: Number(1 - x.integer.zero(), 0))

    __hash__ = None  # type: ignore[assignment]

    def astype(self, dtype: DTypeLike) -> Numbers:
        """As an index, without the fraction of a non-negative number, for an integer type; else unchanged."""
        return self.floor() if np.dtype(dtype).kind == "i" else self

    def floor(self) -> Numbers:
        return self._each(lambda x: Number(x.at(0), 0))

    def clip(self, low: float, high: float) -> Numbers:
        bounds = FixedRange.of_values([low, high])
        return self._each(lambda x: x.clipped(bounds))

    def rectified(self) -> Numbers:
        return self._each(Number.rectified)

    def quantised(self, quantiser: Quantiser) -> Numbers:
        return self._each(lambda x: x.quantised(quantiser))

    def sum(self, axis: int) -> Numbers:
        return Numbers(self.space, np.asarray(self.values.sum(axis=axis), dtype=object))

    def __getitem__(self, key: Any) -> Numbers:
        """Rows of a constant table at indices that depend on the jet, or ordinary indexing."""
        if not isinstance(key, Numbers):
            return Numbers(self.space, np.asarray(self.values[key], dtype=object))
        columns = self.values.reshape(len(self.values), -1).T
        rows = [_entry(column, place.at(0)) for place in key.values.ravel() for column in columns]
        found = np.empty(len(rows), dtype=object)
        found[:] = rows
        return Numbers(self.space, found.reshape(*key.shape, *self.shape[1:]))

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The numpy functions that `operators._arrays` needs."""
        if function is np.take:
            array, index = args
            return Numbers(self.space, np.take(array.values, index, **kwargs))
        if function is np.concatenate:
            arrays, axis = args
            return Numbers(self.space, np.concatenate([self._operand(array).values for array in arrays], axis=axis))
        return NotImplemented

    def integers(self, exponent: int) -> list[Integer]:
        """All elements on a grid, on which they are known to lie."""
        return [x.at(exponent) for x in self.values.ravel()]


def _each(function: Callable[[Any], Number], values: NDArray[Any]) -> NDArray[np.object_]:
    return np.asarray(np.frompyfunc(function, 1, 1)(values), dtype=object)


def _entry(column: NDArray[np.object_], place: Integer) -> Number:
    exponent = min(number.exponent for number in column)
    table = [value for number in column if (value := number.at(exponent).value) is not None]
    assert len(table) == len(column), "a table that is not constant"
    return Number(place.entry(table), exponent)


def variables(program: Program, space: Space, tensor: str, known: Numbers | None = None) -> Numbers:
    """A tensor as variables, of all values of its range, and within the bounds of each element if these are known."""
    values, shape = program.ranges[tensor], program.shapes[tensor]
    bounds = [values] * math.prod(shape)
    if known is not None:
        bounds = [
            FixedRange(max(x.low, values.low), min(x.high, values.high), values.exponent)
            for x in known.integers(values.exponent)
        ]
    return Numbers.inputs(space, tensor, shape, bounds)


def reference(program: Program, node: Node, tensors: dict[str, Numbers], space: Space) -> Numbers:
    """What a node computes from its inputs, by the definition of its operator."""
    given = [
        None if t is None else Numbers.constant(space, program.constants[t]) if t in program.constants else tensors[t]
        for t in node.inputs
    ]
    result: Numbers = node.operator.compute(*given)
    return result

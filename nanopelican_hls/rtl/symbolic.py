"""Arrays of symbolic fixed-point numbers, which are alkaid's variables.

`Symbolic` implements the array protocol of `Operator.compute` (operators/_arrays.py). The semantics of an operator,
written once, runs on it unchanged and records the adders, multipliers and tables that compute it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from nanopelican_hls.errors import RtlError
from nanopelican_hls.fixed_point import EXACT_BITS, FixedRange, Quantiser
from nanopelican_hls.rtl.alkaid_adapter import ENTRY_BITS, HWCONF, FVariable, FVArray, FVArrayInput
from nanopelican_hls.rtl.quantise import is_constant, quantised, select_bits, value_of
from nanopelican_hls.rtl.sums import Sum, plus, times

Shape = tuple[int, ...]


class Symbolic:
    """An array of symbolic fixed-point numbers; elements may be constants.

    Parameters
    ----------
    values : object array
        alkaid's variables and deferred sums (`sums`), or float64 if the whole array is constant.
    """

    __array_ufunc__ = None  # numpy leaves ``ndarray * Symbolic`` to `__rmul__`
    dtype = np.dtype(np.float64)

    def __init__(self, values: Any) -> None:
        self._elements = values

    @property
    def values(self) -> Any:
        """The array, with all deferred sums built."""
        if type(self._elements) is np.ndarray and self._elements.dtype == object:
            self._elements = _each(lambda x: x.total() if isinstance(x, Sum) else x, self._elements)
        return self._elements

    @classmethod
    def inputs(cls, shape: Shape, quantiser: Quantiser) -> Symbolic:
        """New inputs of the type of a quantiser."""
        bounds = (np.full(shape, float(limit)) for limit in (quantiser.low, quantiser.high, 1))
        low, high, step = (bound * quantiser.scale for bound in bounds)
        return cls(FVArray.from_lhs(low, high, step, hwconf=HWCONF))

    @classmethod
    def row(cls, values: Sequence[FixedRange | float], arrivals: Sequence[float]) -> Symbolic:
        """New inputs [1, n] with these ranges and arrivals in levels of logic; floats are constants."""
        inputs = [_variable(value, arrival) for value, arrival in zip(values, arrivals, strict=True)]
        return cls(_array(np.array([inputs], dtype=object)))

    @classmethod
    def concatenated(cls, rows: Sequence[Symbolic]) -> Symbolic:
        """Rows [1, n], concatenated."""
        return cls(_joined(rows, 1))

    @property
    def shape(self) -> Shape:
        shape: Shape = self._elements.shape
        return shape

    def __add__(self, other: Symbolic | ArrayLike) -> Symbolic:
        return Symbolic(_elementwise(plus, self, other))

    def __sub__(self, other: Symbolic | ArrayLike) -> Symbolic:
        return self + other * Symbolic(np.array(-1.0)) if isinstance(other, Symbolic) else self + -np.asarray(other)

    def __mul__(self, other: Symbolic | ArrayLike) -> Symbolic:
        return Symbolic(_elementwise(_product, self, other))

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: float) -> Symbolic:
        return self * (1 / other)

    def __matmul__(self, other: ArrayLike) -> Symbolic:
        return Symbolic(self.values @ np.asarray(other, dtype=np.float64))

    def __ne__(self, other: object) -> Symbolic:  # type: ignore[override]
        return Symbolic(self.values != other)

    __hash__ = None  # type: ignore[assignment]

    def astype(self, dtype: DTypeLike) -> Symbolic:
        """Convert to a non-negative index for an integer type; other types leave fixed-point numbers unchanged."""
        if np.dtype(dtype).kind != "i":
            return self
        return Symbolic(_each(lambda x: x if is_constant(x) else select_bits(x, False, x.kif[1], 0), self.values))

    def floor(self) -> Symbolic:
        """Without the bits of the fraction."""
        return Symbolic(_each(lambda x: _whole(x), self.values))

    def in_parts(self, count: int) -> Symbolic:
        """Numbers [1, n] as [1, count n]: first parts, second parts, ... that are still to be added (`Sum.parts`)."""
        parts = [x.parts(count) if isinstance(x, Sum) else [x, *[0.0] * (count - 1)] for x in _plain(self).ravel()]
        return Symbolic(
            _array(np.array([[part for place in zip(*parts, strict=True) for part in place]], dtype=object))
        )

    def clip(self, low: float, high: float) -> Symbolic:
        return Symbolic(np.clip(self.values, low, high))

    def sum(self, axis: int) -> Symbolic:
        moved = np.moveaxis(_plain(self), axis, -1)
        totals = np.empty(moved.shape[:-1], dtype=object)
        for place in np.ndindex(*totals.shape):
            totals[place] = Sum([(x, 1.0) for x in moved[place]])
        return Symbolic(totals)

    def reshape(self, *shape: int) -> Symbolic:
        return Symbolic(self._elements.reshape(*shape))

    def __getitem__(self, key: Symbolic | tuple[slice | None, ...]) -> Symbolic:
        """Rows of a constant table at a symbolic index, or ordinary indexing with slices and new axes."""
        if isinstance(key, Symbolic):
            return Symbolic(_rows(self.values, key.values))
        return Symbolic(self._elements[key])

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The numpy functions that `operators._arrays` needs, on symbolic arrays."""
        if function is np.take:
            array, index = args
            return Symbolic(np.take(_plain(array), index, **kwargs))
        if function is np.concatenate:
            arrays, axis = args
            return Symbolic(_joined(arrays, axis))
        return NotImplemented

    def chosen(self, mask: Symbolic, otherwise: float) -> Symbolic:
        """The numbers if a mask [1, 1] is 1, else a constant."""
        return Symbolic(_each(lambda x: _chosen(mask.values.item(), x, otherwise), self.values))

    def rectified(self) -> Symbolic:
        return Symbolic(np.maximum(self.values, 0))

    def quantised(self, quantiser: Quantiser, half_added: bool = False) -> Symbolic:
        """Apply a `Quantiser`: round, then saturate; see `quantise.quantised`."""
        return Symbolic(_each(lambda x: quantised(x, quantiser, half_added), self.values))

    def as_port(self, quantiser: Quantiser) -> Symbolic:
        """Inputs after the quantiser of a port; untyped inputs get its type."""
        if not isinstance(self.values, FVArrayInput):
            return self.quantised(quantiser)
        integer_bits = quantiser.bits - quantiser.signed + quantiser.exponent
        return Symbolic(self.values.quantize(int(quantiser.signed), integer_bits, -quantiser.exponent))

    def known_within(self, values: FixedRange) -> Symbolic:
        """Drop the bits above a range in which the numbers are known to lie; free."""
        integer_bits = values.bits - values.signed + values.exponent
        return Symbolic(_each(lambda x: _clip_type(x, values.signed, integer_bits), self.values))


def row_total(row: Symbolic) -> Symbolic:
    """The sum of a row [1, n], as [1, 1]."""
    return row.sum(1).reshape(1, 1)


def _variable(value: FixedRange | float, arrival: float) -> Any:
    if not isinstance(value, FixedRange):
        return float(value)
    if max(-value.low, value.high) > 2**EXACT_BITS:  # alkaid holds bounds in float64
        raise RtlError(
            f"an intermediate value needs {value.bits} bits, more than the {EXACT_BITS} to which bounds are exact",
            where=f"grid of 2^{value.exponent}",
            remedy="narrow the momenta, or move the grids of their components closer together",
        )
    step = 2.0**value.exponent
    return FVariable(value.low * step, value.high * step, step, latency=arrival, hwconf=HWCONF)


def _each(function: Callable[[Any], Any], values: Any) -> Any:
    return _array(np.frompyfunc(function, 1, 1)(np.asarray(values)))


def _whole(x: Any) -> Any:
    if is_constant(x):
        return float(np.floor(value_of(x)))
    signed, integers, _ = x.kif
    return select_bits(x, signed, integers, 0)


def _clip_type(x: Any, signed: bool, integer_bits: int) -> Any:
    return x if is_constant(x) else select_bits(x, signed, integer_bits, x.kif[2])


def _array(values: Any) -> Any:
    settings = (value.hwconf for value in np.ravel(values) if isinstance(value, FVariable))
    return FVArray(values, hwconf=next(settings, HWCONF))


def _plain(value: Symbolic | ArrayLike) -> NDArray[Any]:
    """A plain numpy object array of variables, floats and deferred sums."""
    elements = value._elements if isinstance(value, Symbolic) else np.asarray(value, dtype=np.float64)
    return np.asarray(elements).view(np.ndarray).astype(object)


def _elementwise(function: Callable[[Any, Any], Any], one: Symbolic | ArrayLike, other: Symbolic | ArrayLike) -> Any:
    result = np.asarray(np.frompyfunc(function, 2, 1)(_plain(one), _plain(other)))
    return result.astype(np.float64) if all(isinstance(element, float) for element in result.flat) else result


def _joined(arrays: Sequence[Symbolic | ArrayLike], axis: int) -> NDArray[Any]:
    return np.concatenate([_plain(array) for array in arrays], axis=axis)


def _chosen(mask: Any, value: Any, otherwise: float) -> Any:
    if is_constant(mask):
        return value if getattr(mask, "low", mask) else otherwise
    value = value if isinstance(value, FVariable) else FVariable.from_const(value, HWCONF)
    return mask.msb_mux(value, otherwise)


def _is_within(value: Any, low: int, high: int) -> bool:
    """Whether it is a variable whose values are integers between two bounds."""
    return not is_constant(value) and value.low >= low and value.high <= high and value.step >= 1


def _product(a: Any, b: Any) -> Any:
    """A product; one with a mask or a sign becomes a multiplexer instead of a multiplier."""
    if is_constant(b):
        return times(a, value_of(b))
    if is_constant(a):
        return times(b, value_of(a))
    a, b = (x.total() if isinstance(x, Sum) else x for x in (a, b))
    if _is_within(a, -1, 1):
        a, b = b, a
    if _is_within(b, 0, 1):
        return b.msb_mux(a, 0.0)
    if _is_within(b, -1, 1):
        return b.unary_bit_op("any").msb_mux(b.msb_mux(-a, a), 0.0)
    return a * b


def _entry(column: NDArray[np.float64], index: Any) -> Any:
    if is_constant(index):
        return column[int(index.low)]
    values = FixedRange.of_values(column)
    if values.bits > ENTRY_BITS:
        unit = 2.0 ** (values.exponent + ENTRY_BITS)
        upper = np.floor(column / unit) * unit
        return _entry(upper, index) + _entry(column - upper, index)
    # the interval of an index may exceed the table; the index itself never does
    padded = np.pad(column, (0, max(0, int(index.high) + 1 - len(column))))
    # nor does it have every value between, if its grid is coarser
    return index.lookup(padded[int(index.low) : int(index.high) + 1 : int(index.step)])


def _rows(table: NDArray[np.float64], index: Any) -> Any:
    """``table[index]`` for a table [T, ...] and an index of any shape: one ROM per column."""
    columns = table.reshape(len(table), -1).T
    entries = np.array([_entry(column, n) for n in np.ravel(np.asarray(index)) for column in columns], dtype=object)
    return _array(entries.reshape(*index.shape, *table.shape[1:]))

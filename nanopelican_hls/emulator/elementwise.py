"""Operations on each number of an array by itself, as `Operator.compute` uses them (operators/_arrays.py)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from nanopelican_hls.emulator.number import Number
from nanopelican_hls.fixed_point import FixedRange, Quantiser


class Elementwise(ABC):
    """Arithmetic of an array, given how a function is applied to its numbers."""

    __array_ufunc__ = None  # numpy leaves ``ndarray * Elementwise`` to `__rmul__`
    dtype = np.dtype(np.float64)

    @abstractmethod
    def _each(self, function: Callable[[Number], Number]) -> Self:
        """A function of each number."""

    @abstractmethod
    def _binary(self, function: Callable[[Number, Number], Number], other: Any) -> Self:
        """A function of each number and that of another array, with numpy's rules of broadcasting."""

    def __add__(self, other: Any) -> Self:
        return self._binary(Number.__add__, other)

    def __sub__(self, other: Any) -> Self:
        return self._binary(Number.__sub__, other)

    def __mul__(self, other: Any) -> Self:
        return self._binary(Number.__mul__, other)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: float) -> Self:
        return self * (1 / other)

    def __ne__(self, other: object) -> Self:  # type: ignore[override]
        assert other == 0
        return self._each(Number.nonzero)

    __hash__ = None  # type: ignore[assignment]

    def astype(self, dtype: DTypeLike) -> Self:
        """As an index, without the fraction of a non-negative number, for an integer type; else unchanged."""
        return self.floor()._each(lambda x: x.at(0)) if np.dtype(dtype).kind == "i" else self

    def floor(self) -> Self:
        return self._each(lambda x: x.floored(-x.range.exponent))

    def clip(self, low: float, high: float) -> Self:
        bounds = FixedRange.of_values([low, high])
        return self._each(lambda x: x.clipped(bounds))

    def rectified(self) -> Self:
        return self._each(Number.rectified)

    def quantised(self, quantiser: Quantiser) -> Self:
        return self._each(lambda x: x.quantised(quantiser))

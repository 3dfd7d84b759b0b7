"""Fixed-point numbers: quantisers, exact ranges and rounding.

Every value in a nanoPELICAN firmware is an integer times a power of two. A `Quantiser` maps a real number onto such a
grid (QONNX ``Quant``: scalar power-of-two scale, zero point 0, saturating). A `FixedRange` bounds the results of exact
arithmetic between quantisers, and so the width of the accumulators.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanopelican_hls.errors import ContractError

#: float64 holds integers of up to this many bits exactly; no tensor of the contract may need more
EXACT_BITS = 53
#: QONNX execution returns the output of ``Quant`` in float32, which is exact up to this width
MAX_QUANTISER_BITS = 24


class Rounding(str, Enum):
    """Rounding modes of the contract, by their QONNX names."""

    ROUND = "ROUND"  #: half-to-even (HLS ``AP_RND_CONV``)
    FLOOR = "FLOOR"  #: truncation, towards minus infinity (HLS ``AP_TRN``); free in hardware


def grid_exponent(value: float) -> int:
    """Exponent of the coarsest power-of-two grid that contains a nonzero number."""
    numerator, denominator = value.as_integer_ratio()
    return (numerator & -numerator).bit_length() - denominator.bit_length()


@dataclass(frozen=True)
class FixedRange:
    """All values ``k * 2**exponent`` with integer ``low <= k <= high``; closed under exact arithmetic.

    The interval always contains 0, since a padded particle contributes 0. A partial sum then never leaves the range of
    the whole sum, so a result and its accumulator have the same type.
    """

    low: int
    high: int
    exponent: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", min(0, int(self.low)))
        object.__setattr__(self, "high", max(0, int(self.high)))

    @classmethod
    def of_values(cls, values: ArrayLike) -> FixedRange:
        """The narrowest range on the coarsest grid that contains the given constants."""
        flat = [float(v) for v in np.asarray(values, dtype=np.float64).ravel()]
        if not all(map(math.isfinite, flat)):
            raise ContractError("a constant is NaN or infinite", remedy="train the model again")
        ratios = [v.as_integer_ratio() for v in flat]
        if not any(numerator for numerator, _ in ratios):
            return cls(0, 0, 0)
        exponent = min(grid_exponent(v) for v in flat if v)
        # Python integers: the span of the exponents may exceed the range of float64
        integers = [
            (numerator << -exponent) // denominator if exponent < 0 else numerator >> exponent
            for numerator, denominator in ratios
        ]
        return cls(min(integers), max(integers), exponent)

    @property
    def signed(self) -> bool:
        return self.low < 0

    @property
    def bits(self) -> int:
        """Width of the narrowest integer type for the range, at least 1 (2 if signed)."""
        if self.signed:
            return max(2, self.high.bit_length() + 1, (-self.low - 1).bit_length() + 1)
        return max(1, self.high.bit_length())

    @property
    def integer_bits(self) -> int:
        """Bits left of the binary point, including the sign: the ``I`` of ``ap_fixed<W, I>``."""
        return self.bits + self.exponent

    def at(self, exponent: int) -> FixedRange:
        """The same values on an equal or finer grid; ValueError if the grid is coarser."""
        shift = self.exponent - exponent
        if shift < 0:
            raise ValueError(f"grid 2**{exponent} is coarser than 2**{self.exponent}")
        return FixedRange(self.low << shift, self.high << shift, exponent)

    def __add__(self, other: FixedRange) -> FixedRange:
        exponent = min(self.exponent, other.exponent)
        a, b = self.at(exponent), other.at(exponent)
        return FixedRange(a.low + b.low, a.high + b.high, exponent)

    def __neg__(self) -> FixedRange:
        return FixedRange(-self.high, -self.low, self.exponent)

    def __sub__(self, other: FixedRange) -> FixedRange:
        return self + (-other)

    def __mul__(self, other: FixedRange) -> FixedRange:
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return FixedRange(min(corners), max(corners), self.exponent + other.exponent)

    def times(self, count: int) -> FixedRange:
        """Range of a sum of ``count`` such values."""
        return FixedRange(self.low * count, self.high * count, self.exponent)

    def halved(self) -> FixedRange:
        return FixedRange(self.low, self.high, self.exponent - 1)

    def rectified(self) -> FixedRange:
        return FixedRange(0, self.high, self.exponent)

    @classmethod
    def union(cls, ranges: Iterable[FixedRange]) -> FixedRange:
        ranges = list(ranges)
        exponent = min(r.exponent for r in ranges)
        aligned = [r.at(exponent) for r in ranges]
        return cls(min(r.low for r in aligned), max(r.high for r in aligned), exponent)


@dataclass(frozen=True)
class Quantiser:
    """A saturating quantiser to the grid ``2**exponent``: QONNX ``Quant`` with zero point 0.

    Parameters
    ----------
    bits : int
        Width, including the sign: 1 to 24 (unsigned) or 2 to 24 (signed).
    signed : bool
        Full two's complement range, or unsigned.
    exponent : int
        The scale is ``2.0**exponent``.
    rounding : Rounding
        Half-to-even, or truncation.
    """

    bits: int
    signed: bool
    exponent: int
    rounding: Rounding = Rounding.ROUND

    def __post_init__(self) -> None:
        least = 2 if self.signed else 1
        if not least <= self.bits <= MAX_QUANTISER_BITS:
            raise ContractError(
                f"unsupported quantiser width of {self.bits} bits", remedy=f"use {least} to {MAX_QUANTISER_BITS} bits"
            )
        object.__setattr__(self, "rounding", Rounding(self.rounding))

    @property
    def scale(self) -> float:
        return 2.0**self.exponent

    @property
    def low(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        return (1 << (self.bits - self.signed)) - 1

    @property
    def range(self) -> FixedRange:
        return FixedRange(self.low, self.high, self.exponent)

    def integers(self, x: ArrayLike) -> NDArray[np.int64]:
        """Quantise ``x`` to integers on the grid; exact unless ``x / scale`` underflows float64."""
        with np.errstate(over="ignore"):  # a value that overflows float64 saturates anyway
            scaled = np.ldexp(np.asarray(x, dtype=np.float64), -self.exponent)
        rounded = np.rint(scaled) if self.rounding is Rounding.ROUND else np.floor(scaled)
        return np.clip(rounded, self.low, self.high).astype(np.int64)

    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """Quantise ``x`` and return the values as float64."""
        return np.ldexp(self.integers(x).astype(np.float64), self.exponent)

"""A port of the firmware, as every target and test bench sees it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Port:
    """An input or output: an array of integers of one fixed-point type.

    Attributes
    ----------
    name : graph input or output.
    tensor : tensor that the firmware sees: the output of the input's Quant, or the graph output itself.
    shape : of the tensor, without the batch axis.
    bits, signed, exponent : each element is an integer of this type, times ``2**exponent``.
    rounding : of real numbers onto the grid of an input; None for an output.
    """

    name: str
    tensor: str
    shape: Shape
    bits: int
    signed: bool
    exponent: int
    rounding: Rounding | None = None

    @classmethod
    def of_input(cls, name: str, tensor: str, shape: Shape, quantiser: Quantiser) -> Port:
        return cls(name, tensor, shape, quantiser.bits, quantiser.signed, quantiser.exponent, quantiser.rounding)

    @classmethod
    def of_output(cls, tensor: str, shape: Shape, values: FixedRange) -> Port:
        return cls(tensor, tensor, shape, values.bits, values.signed, values.exponent)

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def width(self) -> int:
        """Total width of the port in bits."""
        return self.elements * self.bits

    @property
    def range(self) -> FixedRange:
        """Range of its type."""
        low = -(1 << (self.bits - 1)) if self.signed else 0
        return FixedRange(low, low + (1 << self.bits) - 1, self.exponent)

    @property
    def quantiser(self) -> Quantiser:
        """The quantiser that maps real numbers to the integers of an input."""
        assert self.rounding is not None, f"{self.name} is not an input"
        return Quantiser(self.bits, self.signed, self.exponent, self.rounding)

    def to_bits(self, values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Values [n, ...] on the port's grid as bits [n, width], those of the first element first, lowest first."""
        integers = np.ldexp(values, -self.exponent).astype(np.int64).reshape(len(values), -1)
        bits = (integers[:, :, None] >> np.arange(self.bits)) & 1
        return bits.reshape(len(values), -1).astype(np.uint8)

    def from_bits(self, bits: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Values [n, elements] of bits [n, width]."""
        weights = np.left_shift(np.int64(1), np.arange(self.bits, dtype=np.int64))
        if self.signed:
            weights[-1] = -weights[-1]
        integers = bits.reshape(len(bits), -1, self.bits) @ weights
        values: NDArray[np.float64] = np.ldexp(integers.astype(np.float64), self.exponent)
        return values

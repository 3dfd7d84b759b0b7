"""A port of the firmware, as every target and test bench sees it."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
    def quantiser(self) -> Quantiser:
        """The quantiser that maps real numbers to the integers of an input."""
        assert self.rounding is not None, f"{self.name} is not an input"
        return Quantiser(self.bits, self.signed, self.exponent, self.rounding)

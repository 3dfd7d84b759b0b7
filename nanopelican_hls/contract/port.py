"""A port of the firmware: what every target and every test bench has to know of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Port:
    """An input or an output: so many integers of one fixed-point type.

    Attributes
    ----------
    name : of the graph input or output.
    tensor : what the firmware computes with: at an input what its Quant gives, at an output the output itself.
    shape : of the tensor, batch axis excluded.
    bits, signed, exponent : an element is an integer of this type, times ``2**exponent``.
    rounding : of real numbers onto the grid of an input; None at an output.
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
        """Bits of all elements."""
        return self.elements * self.bits

    @property
    def quantiser(self) -> Quantiser:
        """What turns real numbers into those of an input."""
        assert self.rounding is not None, f"{self.name} is no input"
        return Quantiser(self.bits, self.signed, self.exponent, self.rounding)

"""MultiplicityBin: which row of the tables over a jet's multiplicity a jet takes (docs/network.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding
from nanopelican_hls.operators._arrays import Array, floored
from nanopelican_hls.operators.base import CustomOperator, Shape

#: the grid of the multiplicity: whole numbers
MULTIPLICITY = Quantiser(8, signed=False, exponent=0, rounding=Rounding.ROUND)


@dataclass(frozen=True)
class MultiplicityBin(CustomOperator):
    """``clip(floor((n - low) / width), 0, bins - 1)``: n [B, 1], whole numbers -> [B, 1]; width is a power of two."""

    inputs = ("n",)
    axes = ("B1",)

    low: int = 24
    width: int = 4
    bins: int = 16

    def compute(self, *inputs: Array | None) -> Array:
        (n,) = inputs
        assert n is not None
        return floored((n + -self.low).clip(0, self.width * self.bins - 1) / self.width)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        if self.width < 1 or self.width & (self.width - 1) or self.bins < 2 or self.bins & (self.bins - 1):
            raise ValueError(f"width = {self.width} and bins = {self.bins}, expected powers of two, bins at least 2")
        return (sizes["B"], 1)

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        self.sizes(*shapes)
        return {"low": self.low, "width_exponent": self.width.bit_length() - 1, "n_bins": self.bins}

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        (n,) = ranges
        assert n is not None
        if n.exponent < 0:
            raise ValueError("n has fractional bits, expected whole numbers")
        return FixedRange(0, self.bins - 1, 0)

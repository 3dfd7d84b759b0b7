"""TotalSum: the sum over all ordered pairs, from the row sums (docs/network.md: T)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array
from nanopelican_hls.operators.base import CustomOperator, Shape


@dataclass(frozen=True)
class TotalSum(CustomOperator):
    """``sum_i r_i = sum_ij d_ij``: r [B, M] -> [B, 1], in GeV^2; each pair counts twice, the diagonal once."""

    inputs = ("r",)
    axes = ("BM",)

    def compute(self, *inputs: Array | None) -> Array:
        (r,) = inputs
        assert r is not None
        return r.sum(1)[:, None]

    def shape(self, *shapes: Shape | None) -> Shape:
        return (self.sizes(*shapes)["B"], 1)

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        return {"n_particles": self.sizes(*shapes)["M"]}

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        assert ranges[0] is not None and shapes[0] is not None
        return ranges[0].times(shapes[0][1])

"""ParticleSum: masked sum over the diagonal (docs/network.md, LinEq2->0, the trace)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array
from nanopelican_hls.operators.base import CustomOperator, Shape


@dataclass(frozen=True)
class ParticleSum(CustomOperator):
    """``sum over valid i of z_ii``: z [B, M, C], mask [B, M] -> [B, C]."""

    inputs = ("z", "mask")
    axes = ("BMC", "BM")

    def compute(self, *inputs: Array | None) -> Array:
        z, mask = inputs
        assert z is not None and mask is not None
        return (z * mask[:, :, None]).sum(1)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        return (sizes["B"], sizes["C"])

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        sizes = self.sizes(*shapes)
        return {"n_particles": sizes["M"], "n_channels": sizes["C"]}

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        assert ranges[0] is not None and shapes[0] is not None
        return ranges[0].times(shapes[0][1])

"""SpurionSum: masked sum over the pairs of the spurion (docs/network.md, LinEq2->0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, pair_count
from nanopelican_hls.operators.base import CustomOperator, Shape
from nanopelican_hls.operators.pair_sum import check_entries, entries_config


@dataclass(frozen=True)
class SpurionSum(CustomOperator):
    """``sum over j != 0 of z_0j + z_j0``, j valid: z [B, P, C] or [B, 2P, C], mask [B, M] -> [B, C].

    Particle 0 is the spurion, and always valid; its pairs head the condensed order. When every unordered pair stands
    once (P entries), it counts twice.
    """

    inputs = ("z", "mask")
    axes = ("BPC", "BM")

    def compute(self, *inputs: Array | None) -> Array:
        z, mask = inputs
        assert z is not None and mask is not None
        others, count = mask.shape[1] - 1, pair_count(mask.shape[1])
        valid = mask[:, 1:, None]
        total = (z[:, :others] * valid).sum(1)
        if z.shape[1] == count:
            return 2 * total
        return total + (z[:, count : count + others] * valid).sum(1)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        check_entries(sizes)
        return (sizes["B"], sizes["C"])

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        return entries_config(self.sizes(*shapes))

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        assert ranges[0] is not None and shapes[1] is not None
        return ranges[0].times(2 * (shapes[1][1] - 1))

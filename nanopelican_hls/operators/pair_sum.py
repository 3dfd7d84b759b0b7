"""PairSum: masked sum over all ordered pairs (docs/network.md, LinEq2->0, off the diagonal)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, concatenate, pair_count, pairs, take
from nanopelican_hls.operators.base import CustomOperator, Shape


def check_entries(sizes: Mapping[str, int]) -> None:
    """ValueError unless every unordered pair of M particles has one of the P entries, or two."""
    count = pair_count(sizes["M"])
    if sizes["P"] not in (count, 2 * count):
        raise ValueError(f"{sizes['P']} entries for {sizes['M']} particles, expected {count} or {2 * count}")


def entries_config(sizes: Mapping[str, int]) -> dict[str, int]:
    """Constants of the C++ function of a sum over entries of pairs."""
    n_pairs = pair_count(sizes["M"])
    return {
        "n_particles": sizes["M"],
        "n_channels": sizes["C"],
        "symmetric": sizes["P"] == n_pairs,
        "n_pairs": n_pairs,
        "n_entries": sizes["P"],
    }


@dataclass(frozen=True)
class PairSum(CustomOperator):
    """``sum over i != j of z_ij`` for valid i and j: z [B, P, C] or [B, 2P, C], mask [B, M] -> [B, C].

    With one entry per unordered pair (P entries), each counts twice.
    """

    inputs = ("z", "mask")
    axes = ("BPC", "BM")

    def compute(self, *inputs: Array | None) -> Array:
        z, mask = inputs
        assert z is not None and mask is not None
        first, second = pairs(mask.shape[1])
        both = take(mask, first, 1) * take(mask, second, 1)
        if z.shape[1] == len(first):
            return 2 * (z * both[:, :, None]).sum(1)
        return (z * concatenate([both, both], axis=1)[:, :, None]).sum(1)

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
        return ranges[0].times(2 * pair_count(shapes[1][1]))

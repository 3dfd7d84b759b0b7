"""PairMix: LinEq2->2 off the diagonal, in factored form (docs/network.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, concatenate, pair_count, pairs, take
from nanopelican_hls.operators.base import CustomOperator, Shape
from nanopelican_hls.operators.particle_mix import weighted_range


@dataclass(frozen=True)
class PairMix(CustomOperator):
    """``z_ij = w_d d_ij + row_i + column_j``, i != j: condensed, [B, P, C] or [B, 2P, C], P = M(M-1)/2.

    Without ``column`` the form is symmetric (column = row), with one entry per unordered pair. With it, the P entries
    with i < j come first, then the P entries (j, i) in the same order. With a jet spurion, ``d_jet`` [B, M-1] holds the
    products of particle 0 with the others.
    """

    inputs = ("d", "row", "w_d", "column", "d_jet")
    axes = ("BP", "BMC", "C", "BMC", "BK")
    optional = frozenset({"column", "d_jet"})
    parameters = frozenset({"w_d"})

    def compute(self, *inputs: Array | None) -> Array:
        d, row, w_d, column, d_jet = inputs
        assert d is not None and row is not None
        # the pairs of particle 0 come first in condensed order
        products = d if d_jet is None else concatenate([d_jet, d], axis=1)
        first, second = pairs(row.shape[1])
        scaled = products[:, :, None] * w_d
        other = row if column is None else column
        upper = scaled + take(row, first, 1) + take(other, second, 1)
        if column is None:
            return upper
        lower = scaled + take(row, second, 1) + take(column, first, 1)
        return concatenate([upper, lower], axis=1)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        count = sizes["P"] + sizes.get("K", 0)
        if count != pair_count(sizes["M"]) or sizes.get("K", sizes["M"] - 1) != sizes["M"] - 1:
            raise ValueError(f"{count} products do not match the pairs of {sizes['M']} particles")
        return (sizes["B"], count * (2 if shapes[3] else 1), sizes["C"])

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        sizes = self.sizes(*shapes)
        symmetric = shapes[self.inputs.index("column")] is None
        n_pairs = pair_count(sizes["M"])
        return {
            "n_particles": sizes["M"],
            "n_channels": sizes["C"],
            "symmetric": symmetric,
            "n_pairs": n_pairs,
            "n_entries": n_pairs if symmetric else 2 * n_pairs,
            "n_multiplications": n_pairs * sizes["C"],
        }

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        d, row, _, column, d_jet = ranges
        assert d is not None and row is not None
        products = d if d_jet is None else FixedRange.union([d, d_jet])
        return weighted_range(products, values["w_d"]) + row + (row if column is None else column)

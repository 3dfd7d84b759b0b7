"""RowSums: the product of each particle with the sum of all particles (docs/network.md: R_i)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, concatenate, constant, incidence, pair_count
from nanopelican_hls.operators.base import CustomOperator, Shape


@dataclass(frozen=True)
class RowSums(CustomOperator):
    """``sum_j d_ij``: d [B, K(K-1)/2] -> [B, M], in GeV^2.

    Without a jet spurion, M = K. With one, ``d_jet`` [B, K] and ``d_jj`` [B, 1] complete the matrix, the jet is
    particle 0 and M = K + 1. Padded particles have d = 0 and need no mask.
    """

    inputs = ("d", "d_jet", "d_jj")
    axes = ("BP", "BK", "B1")
    optional = frozenset({"d_jet", "d_jj"})
    together = (frozenset({"d_jet", "d_jj"}),)

    particles: int = 0  #: M

    def compute(self, *inputs: Array | None) -> Array:
        d, d_jet, d_jj = inputs
        if d_jet is None or d_jj is None:
            return d @ constant(incidence(self.particles), like=d)
        rows = d @ constant(incidence(self.particles - 1), like=d) + d_jet
        jet_row = d_jet.sum(1)[:, None] + d_jj
        return concatenate([jet_row, rows], axis=1)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        constituents = sizes.get("K", self.particles)
        if sizes["P"] != pair_count(constituents) or constituents not in (self.particles, self.particles - 1):
            raise ValueError(
                f"{sizes['P']} pairs of {constituents} particles do not match the row sums of {self.particles}"
            )
        return (sizes["B"], self.particles)

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        return {"n_particles": self.sizes(*shapes).get("K", self.particles)}

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        d, d_jet, d_jj = ranges
        assert d is not None
        if d_jet is None or d_jj is None:
            return d.times(self.particles - 1)
        return FixedRange.union([d.times(self.particles - 2) + d_jet, d_jet.times(self.particles - 1) + d_jj])

"""RowSums: products of each particle with the sum of all (docs/network.md: R_i)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, concatenate, constant, incidence, pair_count
from nanopelican_hls.operators.base import Operator, Shape


class RowSums(Operator):
    """``sum_j d_ij``: d [B, K(K-1)/2] -> [B, M], in GeV^2.

    Without a jet spurion M = K. With it, ``d_jet`` [B, K] and ``d_jj`` [B, 1] complete the matrix, the jet is
    particle 0 and M = K + 1. Padded particles have d = 0 and need no mask.
    """

    name = "RowSums"
    inputs = ("d", "d_jet", "d_jj")
    axes = ("BP", "BK", "B1")
    optional = frozenset({"d_jet", "d_jj"})
    together = (frozenset({"d_jet", "d_jj"}),)
    attributes = {"particles": 0}  # M

    @classmethod
    def compute(cls, *inputs: Array | None, particles: int) -> Array:
        d, d_jet, d_jj = inputs
        if d_jet is None or d_jj is None:
            return d @ constant(incidence(particles), like=d)
        rows = d @ constant(incidence(particles - 1), like=d) + d_jet
        jet_row = d_jet.sum(1)[:, None] + d_jj
        return concatenate([jet_row, rows], axis=1)

    @classmethod
    def shape(cls, *shapes: Shape | None, particles: int) -> Shape:
        sizes = cls.sizes(*shapes)
        constituents = sizes.get("K", particles)
        if sizes["P"] != pair_count(constituents) or constituents not in (particles, particles - 1):
            raise ValueError(f"{sizes['P']} pairs of {constituents} particles do not give the row sums of {particles}")
        return (sizes["B"], particles)

    @classmethod
    def hls_config(cls, *shapes: Shape | None, particles: int) -> dict[str, int]:
        return {"n_particles": cls.sizes(*shapes).get("K", particles)}

    @classmethod
    def range(
        cls, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any], particles: int
    ) -> FixedRange:
        d, d_jet, d_jj = ranges
        assert d is not None
        if d_jet is None or d_jj is None:
            return d.times(particles - 1)
        return FixedRange.union([d.times(particles - 2) + d_jet, d_jet.times(particles - 1) + d_jj])

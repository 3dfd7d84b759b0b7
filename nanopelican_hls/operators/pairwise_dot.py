"""PairwiseDot: Minkowski products of all pairs of particles (docs/network.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators import _minkowski
from nanopelican_hls.operators._arrays import Array, broadcast_rows, concatenate, constant, pair_count, pairs, take
from nanopelican_hls.operators.base import CustomOperator, Shape

#: the two beams as massless particles (E, px, py, pz), in GeV
BEAMS = ((1.0, 0.0, 0.0, 1.0), (1.0, 0.0, 0.0, -1.0))


@dataclass(frozen=True)
class PairwiseDot(CustomOperator):
    """``d_ij = p_i . p_j`` for all i < j, condensed: four components [B, N] -> [B, M(M-1)/2], in GeV^2.

    With ``beams`` = 2 the beams are particles 0 and 1 and M = N + 2 (cartesian coordinates only), else M = N.
    """

    inputs = ("c0", "c1", "c2", "c3")
    axes = ("BN", "BN", "BN", "BN")

    coordinates: str = "cartesian"
    beams: int = 0

    def compute(self, *inputs: Array | None) -> Array:
        components: Sequence[Array] = [c for c in inputs if c is not None]
        if self.beams:
            batch = components[0].shape[0]
            components = [
                concatenate([broadcast_rows(constant([b[k] for b in BEAMS], like=c), batch), c], axis=1)
                for k, c in enumerate(components)
            ]
        first, second = pairs(components[0].shape[1])
        return _minkowski.dot(
            [take(c, first, 1) for c in components], [take(c, second, 1) for c in components], self.coordinates
        )

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        if self.beams and (self.beams != len(BEAMS) or self.coordinates != "cartesian"):
            raise ValueError(
                f"beams = {self.beams} in {self.coordinates} coordinates, expected 0 or, if cartesian, {len(BEAMS)}"
            )
        return (sizes["B"], pair_count(sizes["N"] + self.beams))

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        n = self.sizes(*shapes)["N"]
        light_cone = self.coordinates == "light_cone"
        # light-cone coordinates: two products per pair and two per particle (nnet_pairwise_dot.h)
        multiplications = 2 * pair_count(n) + 2 * n if light_cone else 4 * pair_count(n)
        return {
            "n_constituents": n,
            "n_beams": self.beams,
            "light_cone": light_cone,
            "n_multiplications": multiplications,
        }

    def range(
        self,
        *ranges: FixedRange | None,
        shapes: Sequence[Shape | None],
        values: Mapping[str, Any],
    ) -> FixedRange:
        components = [r for r in ranges if r is not None]
        if self.beams:
            components = [
                FixedRange.union([c, FixedRange.of_values([b[k] for b in BEAMS])]) for k, c in enumerate(components)
            ]
        result: FixedRange = _minkowski.dot(components, components, self.coordinates)
        return result

"""SpurionDot: Minkowski products of the particles with the four-momentum of the jet (docs/network.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators import _minkowski
from nanopelican_hls.operators._arrays import Array
from nanopelican_hls.operators.base import CustomOperator, Shape


@dataclass(frozen=True)
class SpurionDot(CustomOperator):
    """``p_i . J``: components [B, K] of particles and [B, 1] of the spurion -> [B, K], in GeV^2.

    Without the spurion, each particle's product with itself: the mass squared of the spurion, in place of the
    particles (K = 1). So no tensor is two inputs of one node, which other tools get wrong (qonnx renames only the
    first). A spurion on the axis of the light-cone coordinates has y = z = 0: then ``s2`` and ``s3`` are absent, and
    with them ``c2`` and ``c3``, which would be multiplied by 0.
    """

    inputs = ("c0", "c1", "c2", "c3", "s0", "s1", "s2", "s3")
    axes = ("BK", "BK", "BK", "BK", "B1", "B1", "B1", "B1")
    optional = frozenset({"c2", "c3", "s0", "s1", "s2", "s3"})
    together = (frozenset({"c2", "c3"}), frozenset({"s0", "s1"}), frozenset({"s2", "s3"}))

    coordinates: str = "cartesian"

    def compute(self, *inputs: Array | None) -> Array:
        return _minkowski.dot(*_factors(inputs), self.coordinates)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        particles, spurion = _factors(shapes)
        if (particles[2] is None) != (spurion[2] is None):
            given, missing = ("s2, s3", "c2, c3") if particles[2] is None else ("c2, c3", "s2, s3")
            raise ValueError(f"{given} without {missing}")
        if spurion[0] is None:
            raise ValueError("s2, s3 without s0, s1")
        if shapes[2] is None and self.coordinates != "light_cone":
            raise ValueError(f"c2, c3, s2, s3 are missing, expected them in {self.coordinates} coordinates")
        return (sizes["B"], sizes["K"])

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        n = self.sizes(*shapes)["K"]
        multiplications = 2 * n if shapes[2] is None else 4 * n
        return {"n_particles": n, "light_cone": self.coordinates == "light_cone", "n_multiplications": multiplications}

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        result: FixedRange = _minkowski.dot(*_factors(ranges), self.coordinates)
        return result


def _factors(inputs: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    """Components of the particles and of the spurion, which by default is the particle itself."""
    particles, spurion = inputs[:4], inputs[4:]
    return particles, particles if spurion[0] is None and spurion[2] is None else spurion

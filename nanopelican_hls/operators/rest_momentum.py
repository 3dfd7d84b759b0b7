"""RestMomentum: what the cut to N constituents leaves of the jet (docs/network.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array
from nanopelican_hls.operators.base import CustomOperator, Shape


@dataclass(frozen=True)
class RestMomentum(CustomOperator):
    """``J - sum_i p_i``, one component: constituents [B, N] and the jet [B, 1] -> [B, 1], in GeV.

    Without ``jet`` that component of the jet is 0, as y and z are along its own axis.
    """

    inputs = ("c", "jet")
    axes = ("BN", "B1")
    optional = frozenset({"jet"})

    def compute(self, *inputs: Array | None) -> Array:
        c, jet = inputs
        assert c is not None
        constituents = c.sum(1)[:, None]
        return constituents * -1.0 if jet is None else jet - constituents

    def shape(self, *shapes: Shape | None) -> Shape:
        return (self.sizes(*shapes)["B"], 1)

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        return {"n_constituents": self.sizes(*shapes)["N"]}

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        c, jet = ranges
        assert c is not None and shapes[0] is not None
        constituents = -c.times(shapes[0][1])
        return constituents if jet is None else jet + constituents

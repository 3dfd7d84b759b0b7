"""AngleDifference: angles of Level-1 words relative to an axis (docs/level1.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array
from nanopelican_hls.operators.base import CustomOperator, Shape


@dataclass(frozen=True)
class AngleDifference(CustomOperator):
    """``angle_i - axis``, saturated to -``limit`` ... ``limit``: codes [B, N] and [B, 1] -> [B, N].

    With ``turn`` = 0 the angle is not periodic (eta). Otherwise it is (phi), with a period of ``turn`` codes, and the
    difference is first wrapped to at most half a turn.
    """

    inputs = ("angle", "axis")
    axes = ("BN", "B1")

    limit: int = 127
    turn: int = 0

    def compute(self, *inputs: Array | None) -> Array:
        angle, axis = inputs
        assert angle is not None and axis is not None
        d = angle - axis
        if self.turn:
            # integers: the first clip is 1 for half a turn or more, the second is -1 below minus half a turn
            half = self.turn // 2
            d = d - self.turn * (d - (half - 1)).clip(0, 1) - self.turn * (d + half).clip(-1, 0)
        return d.clip(-self.limit, self.limit)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        if self.limit < 1 or self.turn % 2:
            raise ValueError(f"limit = {self.limit} and turn = {self.turn}, expected limit > 0 and an even turn")
        return (sizes["B"], sizes["N"])

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        return {"n_constituents": self.sizes(*shapes)["N"], "limit": self.limit, "turn": self.turn}

    def range(
        self,
        *ranges: FixedRange | None,
        shapes: Sequence[Shape | None],
        values: Mapping[str, Any],
    ) -> FixedRange:
        if any(r is not None and r.exponent < 0 for r in ranges):
            raise ValueError("an angle has fractional bits, expected integer codes")
        return FixedRange(-self.limit, self.limit, 0)

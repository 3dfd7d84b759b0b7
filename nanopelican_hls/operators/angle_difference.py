"""AngleDifference: angles of Level-1 words relative to an axis (docs/level1.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array
from nanopelican_hls.operators.base import Operator, Shape


class AngleDifference(Operator):
    """``angle_i - axis``, between -``limit`` and ``limit``: codes [B, N] and [B, 1] -> [B, N].

    With ``turn`` = 0 the angle is a line (eta). Else it goes round (phi): ``turn`` codes are once around, and a
    difference of half a turn or more is brought back by one turn. What is beyond the limit then saturates.
    """

    name = "AngleDifference"
    inputs = ("angle", "axis")
    axes = ("BN", "B1")
    attributes = {"limit": 127, "turn": 0}

    @classmethod
    def compute(cls, *inputs: Array | None, limit: int, turn: int) -> Array:
        angle, axis = inputs
        assert angle is not None and axis is not None
        d = angle - axis
        if turn:
            # whole numbers: the first is 1 from half a turn on, the second is -1 below minus half a turn
            half = turn // 2
            d = d - turn * (d - (half - 1)).clip(0, 1) - turn * (d + half).clip(-1, 0)
        return d.clip(-limit, limit)

    @classmethod
    def shape(cls, *shapes: Shape | None, limit: int, turn: int) -> Shape:
        sizes = cls.sizes(*shapes)
        if limit < 1 or turn % 2:
            raise ValueError(f"limit = {limit} and turn = {turn}, expected a positive and an even number")
        return (sizes["B"], sizes["N"])

    @classmethod
    def hls_config(cls, *shapes: Shape | None, limit: int, turn: int) -> dict[str, int]:
        return {"n_constituents": cls.sizes(*shapes)["N"], "limit": limit, "turn": turn}

    @classmethod
    def range(
        cls,
        *ranges: FixedRange | None,
        shapes: Sequence[Shape | None],
        values: Mapping[str, Any],
        limit: int,
        turn: int,
    ) -> FixedRange:
        if any(r is not None and r.exponent < 0 for r in ranges):
            raise ValueError("an angle has fractional bits, expected whole codes")
        return FixedRange(-limit, limit, 0)

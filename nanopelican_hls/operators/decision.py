"""Decision: whether a jet passes the trigger's threshold (docs/result.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, floored
from nanopelican_hls.operators.base import CustomOperator, Shape


@dataclass(frozen=True)
class Decision(CustomOperator):
    """1 if ``logit >= threshold``, else 0: [B, 1] and a constant [1] -> [B, 1]."""

    inputs = ("logit", "threshold")
    axes = ("B1", "1")
    parameters = frozenset({"threshold"})

    def compute(self, *inputs: Array | None) -> Array:
        logit, threshold = inputs
        assert logit is not None and threshold is not None
        # the floor of a negative number is -1 or less
        return floored(logit - threshold).clip(-1, 0) + 1

    def shape(self, *shapes: Shape | None) -> Shape:
        return (self.sizes(*shapes)["B"], 1)

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        self.sizes(*shapes)
        return {}

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        logit, _ = ranges
        assert logit is not None
        # both on one grid, which an executor may need for their difference
        _ = logit + FixedRange.of_values(values["threshold"]).times(-1)
        return FixedRange(0, 1, 0)

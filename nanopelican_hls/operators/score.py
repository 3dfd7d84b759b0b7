"""Score: the probability of the signal, from a table over the logit (docs/result.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, as_index, floored
from nanopelican_hls.operators.base import CustomOperator, Shape


@dataclass(frozen=True)
class Score(CustomOperator):
    """``table[clip(floor(logit 2^fraction_bits), -T/2, T/2 - 1) + T/2]``: logit [B, 1] -> [B, 1].

    T, the length of the table, is a power of two. The result never falls where the logit rises if the table does not.
    """

    inputs = ("logit", "table")
    axes = ("B1", "T")
    parameters = frozenset({"table"})

    fraction_bits: int = 5

    def compute(self, *inputs: Array | None) -> Array:
        logit, table = inputs
        assert logit is not None and table is not None
        half = table.shape[0] // 2
        return table[as_index(floored(logit * 2.0**self.fraction_bits).clip(-half, half - 1) + half)]

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        if sizes["T"] < 2 or sizes["T"] & (sizes["T"] - 1):
            raise ValueError(f"the table has {sizes['T']} entries, expected a power of two, at least 2")
        if not 0 <= self.fraction_bits < 24:
            raise ValueError(f"fraction_bits = {self.fraction_bits}, expected 0 to 23")
        return (sizes["B"], 1)

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        return {"fraction_bits": self.fraction_bits, "n_entries": self.sizes(*shapes)["T"]}

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        return FixedRange.of_values(values["table"])

"""LightConeFromL1: one light-cone component of the constituents, from their Level-1 words (docs/level1.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, as_index
from nanopelican_hls.operators.base import CustomOperator, Shape


def check_index(d: FixedRange | None, table: Shape | None) -> None:
    """ValueError if an index with codes in the range `d` can exceed a table [T]."""
    if d is None or table is None:
        return
    if d.exponent < 0:
        raise ValueError("an angle has fractional bits, expected integer codes")
    largest = max(-d.low, d.high) << d.exponent
    if largest >= table[0]:
        raise ValueError(f"an angle reaches {largest} codes, but its table has {table[0]} entries")


@dataclass(frozen=True)
class LightConeFromL1(CustomOperator):
    """``pt_i (f(d_eta_i) + g(d_phi_i))``: [B, N] each -> [B, N], in GeV; one of the terms may be absent.

    f and g are tables over |d|, for even functions (cosh, cos), or with ``odd`` = 1 for odd ones (sinh, sin), where
    the entry is negated for negative d.
    """

    inputs = ("pt", "d_eta", "eta_table", "d_phi", "phi_table")
    axes = ("BN", "BN", "T", "BN", "U")
    optional = frozenset({"d_eta", "eta_table", "d_phi", "phi_table"})
    together = (frozenset({"d_eta", "eta_table"}), frozenset({"d_phi", "phi_table"}))
    parameters = frozenset({"eta_table", "phi_table"})

    odd: int = 0

    def compute(self, *inputs: Array | None) -> Array:
        pt, *angles_and_tables = inputs
        entries = [
            self._entry(d, table)
            for d, table in zip(angles_and_tables[::2], angles_and_tables[1::2], strict=True)
            if d is not None
        ]
        assert pt is not None
        return pt * (entries[0] if len(entries) == 1 else entries[0] + entries[1])

    def _entry(self, d: Array, table: Array) -> Array:
        sign = d.clip(-1, 1)
        entry = table[as_index(d * sign)]
        return entry * sign if self.odd else entry

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        if shapes[1] is None and shapes[3] is None:
            raise ValueError("d_eta and d_phi are both missing")
        if self.odd not in (0, 1):
            raise ValueError(f"odd = {self.odd}, expected 0 or 1")
        return (sizes["B"], sizes["N"])

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        n, tables = self.sizes(*shapes)["N"], [t for t in (shapes[2], shapes[4]) if t is not None]
        return {
            "n_constituents": n,
            "n_entries": max(t[0] for t in tables),
            "odd": bool(self.odd),
            "n_multiplications": n,
        }

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        pt, d_eta, _, d_phi, _ = ranges
        assert pt is not None
        check_index(d_eta, shapes[2])
        check_index(d_phi, shapes[4])
        factor = FixedRange(0, 0, 0)
        for table in values.values():
            entries = FixedRange.of_values(table)
            factor = factor + (FixedRange.union([entries, -entries]) if self.odd else entries)
        return pt * factor

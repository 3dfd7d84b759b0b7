"""ParticleMix: row, column or diagonal term of each particle (docs/network.md: row, column, g)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, as_index, concatenate
from nanopelican_hls.operators.base import CustomOperator, Shape


def table_row(mask: Array | None, table: Array) -> Array:
    """Row n of a table over the number n of valid particles: [B, K], or [1, K] if the table has one row."""
    if table.shape[0] == 1:
        return table
    assert mask is not None
    return table[as_index(mask.sum(1))]


def check_table(sizes: Mapping[str, int], mask: Shape | None) -> None:
    """ValueError unless a bias table has one row, or a mask and a row for every n = 0 ... M."""
    rows = sizes.get("T", 1)
    if rows != 1 and mask is None:
        raise ValueError(f"bias is a table of {rows} rows, but there is no mask to select one")
    if rows != 1 and rows != sizes["M"] + 1:
        raise ValueError(f"bias has {rows} rows, expected 1 or {sizes['M'] + 1} (one per number of valid particles)")


def weighted_range(x: FixedRange, weights: Any) -> FixedRange:
    """Range of ``x * w`` for all weights ``w``."""
    grid = FixedRange.of_values(weights)
    flat = np.ldexp(np.asarray(weights, dtype=np.float64), -grid.exponent).ravel()
    return FixedRange.union([x * FixedRange(int(w), int(w), grid.exponent) for w in flat])


@dataclass(frozen=True)
class ParticleMix(CustomOperator):
    """``w_r r_i [+ w_s S + b(n)] [+ w_jj d_JJ for the jet, particle 0]``: [B, M], [B, 1] -> [B, M, C].

    ``s`` [B, 1], ``w_s`` [C] and ``bias`` are all present or all absent (as in the untied column term). ``bias`` is
    [1, C], or [M + 1, C] indexed by the number n of valid particles (then ``mask`` [B, M] is needed).
    ``d_jj`` [B, 1] with ``w_jj`` [C] adds the jet's own product to the diagonal entry of the jet.
    """

    inputs = ("r", "s", "w_r", "w_s", "bias", "mask", "d_jj", "w_jj")
    axes = ("BM", "B1", "C", "C", "TC", "BM", "B1", "C")
    optional = frozenset({"s", "w_s", "bias", "mask", "d_jj", "w_jj"})
    together = (frozenset({"s", "w_s", "bias"}), frozenset({"d_jj", "w_jj"}))
    parameters = frozenset({"w_r", "w_s", "bias", "w_jj"})

    def compute(self, *inputs: Array | None) -> Array:
        r, s, w_r, w_s, bias, mask, d_jj, w_jj = inputs
        assert r is not None
        mixed = r[:, :, None] * w_r
        if s is not None:
            mixed = mixed + (s * w_s + table_row(mask, bias))[:, None, :]
        if d_jj is None:
            return mixed
        return concatenate([mixed[:, :1] + (d_jj * w_jj)[:, None, :], mixed[:, 1:]], axis=1)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        check_table(sizes, shapes[5])
        return (sizes["B"], sizes["M"], sizes["C"])

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        sizes = self.sizes(*shapes)
        terms = [given for name, given in zip(self.inputs, shapes, strict=True) if name in ("w_s", "w_jj") and given]
        return {
            "n_particles": sizes["M"],
            "n_channels": sizes["C"],
            "n_bias_rows": sizes.get("T", 1),
            "n_multiplications": (sizes["M"] + len(terms)) * sizes["C"],
        }

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        r, s, d_jj = ranges[0], ranges[1], ranges[6]
        assert r is not None
        channels = []
        for channel in range(len(values["w_r"])):
            total = weighted_range(r, values["w_r"][channel])
            if s is not None:
                bias = FixedRange.of_values(values["bias"][:, channel])
                total = total + weighted_range(s, values["w_s"][channel]) + bias
            if d_jj is not None:
                total = total + weighted_range(d_jj, values["w_jj"][channel])
            channels.append(total)
        return FixedRange.union(channels)

"""ParticleMix: row, column or diagonal term of each particle (docs/network.md: row, column, g)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, as_index, concatenate
from nanopelican_hls.operators.base import CustomOperator, Shape


class MultiplicityRow:
    """Selects rows of multiplicity tables, at the bin or the number of valid particles, which is counted once."""

    def __init__(self, mask: Array | None, multiplicity_bin: Array | None) -> None:
        self._flags = mask if multiplicity_bin is None else multiplicity_bin

    @cached_property
    def _index(self) -> Array:
        assert self._flags is not None
        return as_index(self._flags.sum(1))

    def of(self, table: Array) -> Array:
        """Row of a table: [B, K], or [1, K] if it has one row."""
        return table if table.shape[0] == 1 else table[self._index]

    def weights(self, weights: Array) -> Array:
        """Weights [C], or the row of a table of them."""
        return weights if len(weights.shape) == 1 else self.of(weights)


def check_tables(sizes: Mapping[str, int], mask: Shape | None, multiplicity_bin: Shape | None, *weights: Shape) -> None:
    """ValueError unless tables have one row, or a bin to select one, or a mask and a row for every n = 0 ... M.

    ``weights`` are the shapes of those that are tables together, or not at all.
    """
    if multiplicity_bin is not None and mask is not None:
        raise ValueError("bias: the row is selected by a mask and by a bin")
    if len(set(map(len, weights))) > 1:
        raise ValueError("some weights are tables over the multiplicity, and others are not")
    for name, rows in (("bias", sizes.get("T", 1)), ("the table of weights", sizes.get("W", 1))):
        if rows == 1 or multiplicity_bin is not None:
            continue
        if mask is None:
            raise ValueError(f"{name} is a table of {rows} rows, but there is no mask to select one")
        if rows != sizes["M"] + 1:
            expected = f"expected 1 or {sizes['M'] + 1} (one per number of valid particles)"
            raise ValueError(f"{name} has {rows} rows, {expected}")


def check_bin(multiplicity_bin: FixedRange | None, bias: Any, weights: Any) -> None:
    """ValueError if a bin has no row in a table, the bias or the weights; without a table there is no bin."""
    if multiplicity_bin is None:
        return
    tables = [("bias", len(bias))] + [("table of weights", len(weights))] * (np.ndim(weights) > 1)
    rows = [(name, count) for name, count in tables if count > 1] or tables[:1]
    for name, count in rows:
        if multiplicity_bin.low < 0 or multiplicity_bin.exponent < 0 or not multiplicity_bin.high < count > 1:
            raise ValueError(f"the bin may be {multiplicity_bin.high}, and the {name} has {count} rows")


def weight_rows(sizes: Mapping[str, int]) -> dict[str, int]:
    """The constant of the C++ config struct for tables of weights; none where there are none."""
    return {"n_weight_rows": sizes["W"]} if sizes.get("W", 1) > 1 else {}


def weighted_range(x: FixedRange, weights: Any) -> FixedRange:
    """Range of ``x * w`` for all weights ``w``."""
    grid = FixedRange.of_values(weights)
    flat = np.ldexp(np.asarray(weights, dtype=np.float64), -grid.exponent).ravel()
    return FixedRange.union([x * FixedRange(int(w), int(w), grid.exponent) for w in flat])


@dataclass(frozen=True)
class ParticleMix(CustomOperator):
    """``w_r r_i [+ w_s S + b(n)] [+ w_jj d_JJ for the jet, particle 0]``: [B, M], [B, 1] -> [B, M, C].

    ``s`` [B, 1], ``w_s`` [C] and ``bias`` come together or not at all (the untied column term has none). ``bias`` is
    [1, C], or [M + 1, C] indexed by the number n of valid particles (then ``mask`` [B, M] is needed), or [T, C] indexed
    by ``multiplicity_bin`` [B, 1]. ``w_r`` and ``w_s`` may be tables, too: [M + 1, C] or [T, C].
    ``d_jj`` [B, 1] with ``w_jj`` [C] adds the jet's own product to the diagonal entry of the jet.
    """

    inputs = ("r", "s", "w_r", "w_s", "bias", "mask", "d_jj", "w_jj", "multiplicity_bin")
    axes = ("BM", "B1", "C", "C", "TC", "BM", "B1", "C", "B1")
    optional = frozenset({"s", "w_s", "bias", "mask", "d_jj", "w_jj", "multiplicity_bin"})
    together = (frozenset({"s", "w_s", "bias"}), frozenset({"d_jj", "w_jj"}))
    later = frozenset({"multiplicity_bin"})
    parameters = frozenset({"w_r", "w_s", "bias", "w_jj"})
    tabled = frozenset({"w_r", "w_s"})

    def compute(self, *inputs: Array | None) -> Array:
        r, s, w_r, w_s, bias, mask, d_jj, w_jj, multiplicity_bin = inputs
        assert r is not None and w_r is not None
        row = MultiplicityRow(mask, multiplicity_bin)
        mixed = r[:, :, None] * (w_r if len(w_r.shape) == 1 else row.of(w_r)[:, None, :])
        if s is not None:
            mixed = mixed + (s * row.weights(w_s) + row.of(bias))[:, None, :]
        if d_jj is None:
            return mixed
        return concatenate([mixed[:, :1] + (d_jj * w_jj)[:, None, :], mixed[:, 1:]], axis=1)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        check_tables(sizes, shapes[5], shapes[8], *(shape for shape in (shapes[2], shapes[3]) if shape))
        return (sizes["B"], sizes["M"], sizes["C"])

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        sizes = self.sizes(*shapes)
        terms = [given for name, given in zip(self.inputs, shapes, strict=True) if name in ("w_s", "w_jj") and given]
        return {
            "n_particles": sizes["M"],
            "n_channels": sizes["C"],
            "n_bias_rows": sizes.get("T", 1),
            "n_multiplications": (sizes["M"] + len(terms)) * sizes["C"],
        } | weight_rows(sizes)

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        r, s, d_jj = ranges[0], ranges[1], ranges[6]
        assert r is not None
        check_bin(ranges[8], values.get("bias", ()), values["w_r"])
        channels = []
        for channel in range(np.shape(values["w_r"])[-1]):
            total = weighted_range(r, values["w_r"][..., channel])
            if s is not None:
                bias = FixedRange.of_values(values["bias"][:, channel])
                total = total + weighted_range(s, values["w_s"][..., channel]) + bias
            if d_jj is not None:
                total = total + weighted_range(d_jj, values["w_jj"][channel])
            channels.append(total)
        return FixedRange.union(channels)

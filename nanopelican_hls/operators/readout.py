"""Readout: the output from the pair and diagonal sums (docs/network.md, LinEq2->0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array
from nanopelican_hls.operators.base import CustomOperator, Shape
from nanopelican_hls.operators.particle_mix import check_table, table_row, weighted_range


@dataclass(frozen=True)
class Readout(CustomOperator):
    """``sum_h k_pair_h T_h + k_diag_h D_h + b(n)``: pair sums T and diagonal sums D [B, C] -> [B, 1].

    ``bias`` is [1, 1], or a table [M + 1, 1] over the number n of valid particles (the folded BatchNorm,
    docs/network.md), which needs ``mask`` [B, M]. A standard Gemm cannot express the table.
    """

    inputs = ("pair_sum", "diagonal_sum", "k_pair", "k_diagonal", "bias", "mask")
    axes = ("BC", "BC", "C", "C", "T1", "BM")
    optional = frozenset({"mask"})
    parameters = frozenset({"k_pair", "k_diagonal", "bias"})

    def compute(self, *inputs: Array | None) -> Array:
        pair_sum, diagonal_sum, k_pair, k_diagonal, bias, mask = inputs
        assert pair_sum is not None and diagonal_sum is not None
        return (pair_sum * k_pair + diagonal_sum * k_diagonal).sum(1)[:, None] + table_row(mask, bias)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        check_table(sizes, shapes[5])
        return (sizes["B"], 1)

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        sizes = self.sizes(*shapes)
        return {
            "n_channels": sizes["C"],
            "n_bias_rows": sizes["T"],
            "n_particles": sizes.get("M", 0),
            "n_multiplications": 2 * sizes["C"],
        }

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        assert ranges[0] is not None and ranges[1] is not None
        total = FixedRange.of_values(values["bias"])
        for x, name in ((ranges[0], "k_pair"), (ranges[1], "k_diagonal")):
            for weight in np.asarray(values[name]).ravel():
                total = total + weighted_range(x, [weight])
        return total

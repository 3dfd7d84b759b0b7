"""Readout: the output from the pair and diagonal sums (docs/network.md, LinEq2->0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array
from nanopelican_hls.operators.base import CustomOperator, Shape
from nanopelican_hls.operators.particle_mix import (
    MultiplicityRow,
    check_bin,
    check_tables,
    weight_rows,
    weighted_range,
)


@dataclass(frozen=True)
class Readout(CustomOperator):
    """``sum_h k_pair_h T_h + k_diag_h D_h + b(n)``: pair sums T and diagonal sums D [B, C] -> [B, 1].

    A standard Gemm cannot express the bias: it is [1, 1], or a table [M + 1, 1] over the number n of valid particles
    (the folded BatchNorm, docs/network.md), and then ``mask`` [B, M] is needed; or a table [T, 1] over the bins of the
    jet's multiplicity, and then ``multiplicity_bin`` [B, 1]. ``spurion_sum`` [B, C] with ``k_spurion`` [C] adds what
    the pairs of the spurion count for more. ``k_pair`` and ``k_diagonal`` may be tables, too: [M + 1, C] or
    [T, C].
    """

    inputs = (
        *("pair_sum", "diagonal_sum", "k_pair", "k_diagonal", "bias", "mask"),
        *("multiplicity_bin", "spurion_sum", "k_spurion"),
    )
    axes = ("BC", "BC", "C", "C", "T1", "BM", "B1", "BC", "C")
    optional = frozenset({"mask", "multiplicity_bin", "spurion_sum", "k_spurion"})
    together = (frozenset({"spurion_sum", "k_spurion"}),)
    later = frozenset({"multiplicity_bin", "spurion_sum", "k_spurion"})
    parameters = frozenset({"k_pair", "k_diagonal", "bias", "k_spurion"})
    tabled = frozenset({"k_pair", "k_diagonal"})

    def compute(self, *inputs: Array | None) -> Array:
        pair_sum, diagonal_sum, k_pair, k_diagonal, bias, mask, multiplicity_bin, spurion_sum, k_spurion = inputs
        assert pair_sum is not None and diagonal_sum is not None
        row = MultiplicityRow(mask, multiplicity_bin)
        weighted = pair_sum * row.weights(k_pair) + diagonal_sum * row.weights(k_diagonal)
        if spurion_sum is not None:
            weighted = weighted + spurion_sum * k_spurion
        return weighted.sum(1)[:, None] + row.of(bias)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        assert shapes[2] is not None and shapes[3] is not None
        check_tables(sizes, shapes[5], shapes[6], shapes[2], shapes[3])
        return (sizes["B"], 1)

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        sizes = self.sizes(*shapes)
        return {
            "n_channels": sizes["C"],
            "n_bias_rows": sizes["T"],
            "n_particles": sizes.get("M", 0),
            "n_multiplications": (2 if shapes[7] is None else 3) * sizes["C"],
        } | weight_rows(sizes)

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        assert ranges[0] is not None and ranges[1] is not None
        total = FixedRange.of_values(values["bias"])
        check_bin(ranges[6], values["bias"], values["k_pair"])
        for x, name in ((ranges[0], "k_pair"), (ranges[1], "k_diagonal"), (ranges[7], "k_spurion")):
            for weights in np.atleast_2d(values.get(name, ())).T:
                assert x is not None
                total = total + weighted_range(x, weights)
        return total

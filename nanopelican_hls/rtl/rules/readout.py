"""Readout: one piece, but for the weights that are tables over the multiplicity."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators.readout import Readout
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.rules._weight_tables import looked_up, multiplied, select
from nanopelican_hls.rtl.symbolic import Symbolic


@add_hardware.register
def _(operator: Readout, node: Node, builder: PieceBuilder) -> None:
    weights = looked_up(node, builder, "k_pair", "k_diagonal")
    if not weights:
        builder.add_whole(node)
        return
    inputs, parameters = builder.inputs_of(node), builder.parameters_of(node)
    sums, weights = multiplied(builder, node.output, [*inputs["pair_sum"], *inputs["diagonal_sum"]], weights)
    lane = [*sums, *weights, *inputs.get("spurion_sum", ()), *select(node, builder)]
    channels = len(weights) // 2
    bias, k_spurion = (Symbolic(parameters[name]) if name in parameters else None for name in ("bias", "k_spurion"))

    def compute(row: Symbolic) -> Symbolic:
        parts = [row[:, k : k + channels] for k in range(0, 5 * channels, channels)]
        apart, flags = (parts[4], row[:, 5 * channels :]) if "spurion_sum" in inputs else (None, row[:, 4 * channels :])
        mask, of_jet = (flags, None) if "mask" in inputs else (None, flags)
        pair, diagonal = (part.reshape(channels) for part in parts[2:4])
        result: Symbolic = operator.compute(*(parts[0], parts[1], pair, diagonal, bias, mask, of_jet, apart, k_spurion))
        return result

    builder.add_piece(node, node.output, [lane], [[0]], compute)

"""PairMix: a piece per pair, with all channels."""

from __future__ import annotations

import numpy as np

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators._arrays import pair_count, pairs
from nanopelican_hls.operators.pair_mix import PairMix
from nanopelican_hls.rtl.masking import Padding, pads_pairs
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.symbolic import Symbolic


@add_hardware.register
def _(operator: PairMix, node: Node, builder: PieceBuilder) -> None:
    inputs = builder.inputs_of(node)
    weights = Symbolic(builder.parameters_of(node)["w_d"])
    row, column = inputs["row"], inputs.get("column")
    channels = row.shape[1]
    products = [*inputs.get("d_jet", ()), *inputs["d"]]
    terms = [row] if column is None else [row, column]
    lanes = [
        [d, *(value for term in terms for k in (i, j) for value in term[k])]
        for d, i, j in zip(products, *pairs(len(row)), strict=True)
    ]
    entries = pair_count(len(row))
    index = [
        [(order * entries + k) * channels + c for order in range(len(terms)) for c in range(channels)]
        for k in range(entries)
    ]
    half = builder.half_unit(node)
    added = np.array([half, half if len(terms) > 1 else 0.0]).reshape(1, 2, 1)  # once per entry

    def compute(lane: Symbolic) -> Symbolic:
        given = [
            lane[:, 1 + 2 * channels * k : 1 + 2 * channels * (k + 1)].reshape(1, 2, channels)
            for k in range(len(terms))
        ]
        other = given[1] if len(given) > 1 else None
        mixed: Symbolic = operator.compute(lane[:, :1], given[0] + added, weights, other, None).reshape(1, -1)
        return mixed

    builder.add_piece(node, node.output, lanes, index, compute, half_added=half > 0)
    if pads_pairs(builder.graph, node):
        chain = builder.graph.elementwise(node.output)
        builder.padding |= {each.output: Padding(0.0, of_pairs=True) for each in chain}

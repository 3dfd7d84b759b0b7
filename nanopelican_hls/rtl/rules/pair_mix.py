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
    entries = pair_count(len(row))
    ring = builder.sharing.pairs([[value for term in terms for value in term[k]] for k in range(len(row))])
    lanes, index, live = [], [], []
    for k, (d, i, j) in enumerate(zip(products, *pairs(len(row)), strict=True)):
        pair = ring.pair(i, j)
        places = [slice(n * channels, (n + 1) * channels) for n in range(len(terms))]
        lanes.append([d, *(value for place in places for value in (*pair.first[place], *pair.second[place]))])
        orders = (0,) if column is None else (1, 0) if pair.swapped else (0, 1)
        index.append([(order * entries + k) * channels + c for order in orders for c in range(channels)])
        live.append(pair.live)
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

    builder.add_piece(node, node.output, lanes, index, compute, half_added=half > 0, live=live)
    if pads_pairs(builder.graph, node):
        chain = builder.graph.elementwise(node.output)
        builder.padding |= {each.output: Padding(0.0, of_pairs=True) for each in chain}

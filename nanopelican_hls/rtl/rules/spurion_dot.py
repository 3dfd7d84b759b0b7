"""SpurionDot: a product per particle."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators.spurion_dot import SpurionDot
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.rules._dots import add_dots


@add_hardware.register
def _(operator: SpurionDot, node: Node, builder: PieceBuilder) -> None:
    inputs = list(builder.inputs_of(node).values())
    particles, spurions = inputs[: len(inputs) // 2], inputs[len(inputs) // 2 :]
    (spurion,) = zip(*spurions, strict=True)
    vectors = list(zip(*particles, strict=True))
    if len(vectors) == 1:
        add_dots(node, operator.coordinates, builder, [(vectors[0], spurion)], [1.0])
        return
    ring = builder.sharing.pairs(vectors)  # the same as that of PairwiseDot
    passing = [ring.single(k) for k in range(len(vectors))]
    lanes = [(tuple(vector), spurion) for vector, _ in passing]
    add_dots(node, operator.coordinates, builder, lanes, [live for _, live in passing])

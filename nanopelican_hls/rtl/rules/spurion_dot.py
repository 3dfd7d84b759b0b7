"""SpurionDot: a product per particle."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators.spurion_dot import SpurionDot
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.rules._dots import add_dots, momenta


@add_hardware.register
def _(operator: SpurionDot, node: Node, builder: PieceBuilder) -> None:
    inputs = builder.inputs_of(node)
    vectors, spurions = (list(zip(*(v for k, v in inputs.items() if k[0] == letter), strict=True)) for letter in "cs")
    if not spurions:  # each particle times itself
        vectors = [tuple(builder.sharing.throughout(vector)) for vector in vectors]  # as where it meets constituents
        add_dots(node, operator.coordinates, builder, [(vector, vector) for vector in vectors], [1.0] * len(vectors))
        return
    ring = momenta(node, builder, vectors)  # the same as that of PairwiseDot
    passing = [ring.single(k) for k in range(len(vectors))]
    lanes = [(tuple(vector), spurions[0]) for vector, _ in passing]
    add_dots(node, operator.coordinates, builder, lanes, [live for _, live in passing])

"""PairwiseDot: a product per pair; beams are constants."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators._arrays import pairs
from nanopelican_hls.operators.pairwise_dot import BEAMS, PairwiseDot
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.rules._dots import add_dots, momenta


@add_hardware.register
def _(operator: PairwiseDot, node: Node, builder: PieceBuilder) -> None:
    components = list(builder.inputs_of(node).values())
    beams = [tuple(BEAMS[b][k] for k in range(4)) for b in range(operator.beams)]
    ring = momenta(node, builder, [*beams, *zip(*components, strict=True)])
    met = [ring.pair(i, j) for i, j in zip(*pairs(operator.beams + len(components[0])), strict=True)]
    lanes = [(tuple(pair.first), tuple(pair.second)) for pair in met]
    add_dots(node, operator.coordinates, builder, lanes, [pair.live for pair in met])

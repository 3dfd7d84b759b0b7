"""SpurionDot: a product per particle."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators.spurion_dot import SpurionDot
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.rules._dots import add_dots


@add_hardware.register
def _(operator: SpurionDot, node: Node, builder: PieceBuilder) -> None:
    inputs = builder.inputs_of(node)
    particles, spurions = (zip(*(v for k, v in inputs.items() if k[0] == letter), strict=True) for letter in "cs")
    spurion = next(spurions, None)  # without one, each particle times itself
    add_dots(node, operator.coordinates, builder, [(particle, spurion or particle) for particle in particles])

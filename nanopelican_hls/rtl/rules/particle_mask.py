"""ParticleMask: a piece per constituent; spurions are always valid."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators.particle_mask import ParticleMask
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware


@add_hardware.register
def _(operator: ParticleMask, node: Node, builder: PieceBuilder) -> None:
    (c0,) = builder.inputs_of(node).values()
    spurions = operator.spurions
    builder.store(node.output, range(spurions), [1.0] * spurions)
    index = [[spurions + k] for k in range(len(c0))]
    lanes = builder.sharing.arriving([[c] for c in c0])
    builder.add_piece(node, node.output, lanes, index, ParticleMask(spurions=0).compute)

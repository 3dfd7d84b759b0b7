"""ParticleSum: a piece per channel."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators.particle_sum import ParticleSum
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.rules._channel_sums import add_channel_sums


@add_hardware.register
def _(operator: ParticleSum, node: Node, builder: PieceBuilder) -> None:  # noqa: ARG001
    add_channel_sums(node, builder)

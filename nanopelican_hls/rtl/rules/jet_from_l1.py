"""JetFromL1: a piece per particle."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators.jet_from_l1 import JetFromL1
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.rules._per_particle import add_per_particle


@add_hardware.register
def _(operator: JetFromL1, node: Node, builder: PieceBuilder) -> None:  # noqa: ARG001
    add_per_particle(node, builder)

"""Operators that act on each particle separately: inputs [B, K], or [B, 1] shared by all."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.symbolic import Symbolic


def add_per_particle(node: Node, builder: PieceBuilder) -> None:
    """Add a piece per particle, with the inputs of the operator in order."""
    inputs = builder.inputs_of(node)
    count = builder.program.shapes[node.output][0]
    lanes = [[values[k if len(values) > 1 else 0] for values in inputs.values()] for k in range(count)]
    if count == builder.sharing.tournament.particles:
        lanes = builder.sharing.arriving(lanes)
    parameters = {name: Symbolic(value) for name, value in builder.parameters_of(node).items()}

    def compute(row: Symbolic) -> Symbolic:
        given = {name: row[:, k : k + 1] for k, name in enumerate(inputs)} | parameters
        result: Symbolic = node.operator.compute(*[given.get(name) for name in node.operator.inputs])
        return result

    builder.add_piece(node, node.output, lanes, [[k] for k in range(count)], compute)

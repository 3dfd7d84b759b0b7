"""The hardware of an operator: a rule for its class or, by default, a single piece.

What an operator computes is defined by `Operator.compute` alone. A rule only splits it into identical pieces: per pair,
per particle or per channel.
"""

from __future__ import annotations

from functools import singledispatch

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators import Operator
from nanopelican_hls.rtl.piece_builder import PieceBuilder


@singledispatch
def add_hardware(operator: Operator, node: Node, builder: PieceBuilder) -> None:  # noqa: ARG001
    """Add the hardware of a node to a netlist; `rtl/rules` registers the rules of operator classes.

    Parameters
    ----------
    operator : Operator
        Operator of the node.
    node : Node
    builder : PieceBuilder
        Holds the inputs of the node and receives its outputs.
    """
    builder.add_whole(node)

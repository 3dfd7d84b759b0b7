"""Which hardware an operator becomes: a rule by its class, or, where there is none, one piece for all of it.

What an operator computes is written in `Operator.compute` alone. A rule says how that falls into equal pieces: one
pair, one particle, one channel.
"""

from __future__ import annotations

from functools import singledispatch

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators import Operator
from nanopelican_hls.rtl.piece_builder import PieceBuilder


@singledispatch
def add_hardware(operator: Operator, node: Node, builder: PieceBuilder) -> None:  # noqa: ARG001
    """Add the hardware of a node to a netlist; `rtl/rules` registers those of classes.

    Parameters
    ----------
    operator : Operator
        Of the node.
    node : Node
    builder : PieceBuilder
        Holds the numbers that the node is given, and takes those that it gives.
    """
    builder.add_whole(node)

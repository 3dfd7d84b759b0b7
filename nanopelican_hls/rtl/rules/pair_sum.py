"""PairSum: a piece per channel."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators._arrays import pair_count
from nanopelican_hls.operators.pair_sum import PairSum
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.rules._channel_sums import add_channel_sums

#: numbers in which sums over pairs, the last to be ready, are accumulated; a ternary adder adds them once an event
PARTS = 3


@add_hardware.register
def _(operator: PairSum, node: Node, builder: PieceBuilder) -> None:
    z, mask = (builder.inputs_of(node)[name] for name in operator.inputs)
    add_channel_sums(node, builder, factor=2 if len(z) == pair_count(len(mask)) else 1, parts=PARTS)

"""SpurionSum: a piece for each channel, of the pairs of the spurion alone."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators._arrays import pair_count
from nanopelican_hls.operators.spurion_sum import SpurionSum
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.rules._channel_sums import add_channel_sums


@add_hardware.register
def _(operator: SpurionSum, node: Node, builder: PieceBuilder) -> None:  # noqa: ARG001
    values, mask = (builder.inputs_of(node)[name] for name in node.operator.inputs)
    others, count = len(mask) - 1, pair_count(len(mask))
    entries = [*range(others), *(range(count, count + others) if len(values) > count else ())]
    add_channel_sums(node, builder, entries, 2 if len(values) == count else 1)

"""Sums over all particles or pairs, per channel."""

from __future__ import annotations

from collections.abc import Sequence

from nanopelican_hls.contract.program import Node
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.rtl.masking import needs_mask
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.sharing import filled_up
from nanopelican_hls.rtl.symbolic import Symbolic


def add_channel_sums(
    node: Node, builder: PieceBuilder, entries: Sequence[int] | None = None, factor: int = 1, parts: int = 1
) -> None:
    """Add a piece per channel: the sum of entries, all by default, times a factor; over time they are accumulated.

    ``parts`` is as in `Sharing.summands`. Masks are only applied if that was not done upstream (`needs_mask`).
    """
    values, mask = (builder.inputs_of(node)[name] for name in node.operator.inputs)
    count, channels = values.shape
    index = [[c] for c in range(channels)]
    if needs_mask(builder.graph, node):
        lanes = [builder.sharing.at_once([*values[:, c], *mask]) for c in range(channels)]

        def masked(row: Symbolic) -> Symbolic:
            result: Symbolic = node.operator.compute(row[:, :count].reshape(1, count, 1), row[:, count:])
            return result

        builder.add_piece(node, node.output, lanes, index, masked)
        return
    total = builder.program.ranges[node.output]
    summed = FixedRange(-(-total.low // factor), total.high // factor, total.exponent)
    chosen = values if entries is None else values[entries]
    lanes = [builder.sharing.summands(f"{node.output}_{c}", list(chosen[:, c]), summed, parts) for c in range(channels)]
    lanes = filled_up(lanes)
    builder.add_piece(node, node.output, lanes, index, lambda row: row.sum(1).reshape(1, 1) * float(factor))

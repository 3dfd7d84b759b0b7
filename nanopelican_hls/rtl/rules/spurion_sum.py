"""SpurionSum: a piece for each channel, of the pairs of the spurion alone."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators._arrays import pair_count
from nanopelican_hls.operators.spurion_sum import SpurionSum
from nanopelican_hls.rtl.masking import needs_mask
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.symbolic import Symbolic


@add_hardware.register
def _(operator: SpurionSum, node: Node, builder: PieceBuilder) -> None:  # noqa: ARG001
    values, mask = (builder.inputs_of(node)[name] for name in node.operator.inputs)
    others, count, channels = len(mask) - 1, pair_count(len(mask)), values.shape[1]
    entries = [*range(others), *(range(count, count + others) if len(values) > count else ())]
    masked = needs_mask(builder.graph, node)
    lanes = [[*values[entries, c], *(mask[1:] if masked else ())] for c in range(channels)]
    factor = 2.0 if len(values) == count else 1.0

    def compute(row: Symbolic) -> Symbolic:
        z = row[:, : len(entries)].reshape(1, -1, others)
        if masked:
            z = z * row[:, len(entries) :].reshape(1, 1, others)
        return z.reshape(1, -1).sum(1).reshape(1, 1) * factor

    builder.add_piece(node, node.output, lanes, [[c] for c in range(channels)], compute)

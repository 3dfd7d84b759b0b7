"""Sums over all particles or pairs, per channel."""

from __future__ import annotations

import numpy as np

from nanopelican_hls.contract.program import Node
from nanopelican_hls.rtl.masking import needs_mask
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.symbolic import Symbolic


def add_channel_sums(node: Node, builder: PieceBuilder) -> None:
    """Add a piece per channel, with masks only if they were not applied upstream (`needs_mask`)."""
    values, mask = (builder.inputs_of(node)[name] for name in node.operator.inputs)
    entries, channels = values.shape
    masked = needs_mask(builder.graph, node)
    lanes = [[*values[:, c], *(mask if masked else ())] for c in range(channels)]

    def compute(row: Symbolic) -> Symbolic:
        ones = Symbolic(np.ones((1, len(mask))))
        z = row[:, :entries].reshape(1, entries, 1)
        result: Symbolic = node.operator.compute(z, row[:, entries:] if masked else ones)
        return result

    builder.add_piece(node, node.output, lanes, [[c] for c in range(channels)], compute)

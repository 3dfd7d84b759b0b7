"""RowSums: a sum per particle; that of the jet has other terms."""

from __future__ import annotations

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators._arrays import pairs
from nanopelican_hls.operators.row_sums import RowSums
from nanopelican_hls.rtl.netlist import Value
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.symbolic import Symbolic


@add_hardware.register
def _(operator: RowSums, node: Node, builder: PieceBuilder) -> None:
    inputs, count = builder.inputs_of(node), operator.particles
    spurions = int("d_jet" in inputs)
    rows: list[list[Value]] = [[] for _ in range(count)]
    for d, i, j in zip(inputs["d"], *pairs(count - spurions), strict=True):
        rows[spurions + i].append(d)
        rows[spurions + j].append(d)
    if spurions:
        rows[0] = [*inputs["d_jet"], *inputs["d_jj"]]
        for row, d_jet in zip(rows[1:], inputs["d_jet"], strict=True):
            row.append(d_jet)
        builder.add_piece(node, f"{node.output}_jet", rows[:1], [[0]], _total)
    builder.add_piece(node, node.output, rows[spurions:], [[k] for k in range(spurions, count)], _total)


def _total(row: Symbolic) -> Symbolic:
    return row.sum(1).reshape(1, 1)

"""RowSums: a sum per particle; that of the jet has other terms. In the ring they accumulate while they turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators._arrays import pairs
from nanopelican_hls.operators.row_sums import RowSums
from nanopelican_hls.rtl.netlist import Value, Word, in_phase
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.rule import add_hardware
from nanopelican_hls.rtl.sharing import filled_up
from nanopelican_hls.rtl.symbolic import row_total


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
    if builder.sharing.cycles > 1 and any(isinstance(value, Word) for row in rows[spurions:] for value in row):
        _add_turning(node, builder, rows)
        return
    if spurions:
        builder.add_piece(node, f"{node.output}_jet", rows[:1], [[0]], row_total)
    builder.add_piece(node, node.output, rows[spurions:], [[k] for k in range(spurions, count)], row_total)


def _add_turning(node: Node, builder: PieceBuilder, rows: Sequence[Sequence[Value]]) -> None:
    """Add accumulators that turn with the constituents; what a place adds to its constituent comes from fixed nets."""
    sharing, values = builder.sharing, builder.program.ranges[node.output]
    tournament = sharing.tournament
    spurions = len(rows) - tournament.particles
    at_place: list[Counter[Value]] = [Counter() for _ in range(tournament.places)]
    for constituent, row in enumerate(rows[spurions:]):
        for value, count in Counter(value for value in row if isinstance(value, Word)).items():
            place = at_place[tournament.place(constituent, value.phase or 0)]
            place |= Counter({in_phase([value], 0)[0]: count})
    rows_at_place = filled_up([list(found.elements()) for found in at_place])
    added = [value for (value,) in builder.netlist.lanes(f"{node.output}_turn", rows_at_place, row_total)]
    sums = builder.netlist.accumulated(added, values, tournament.cycles, tournament.circle, tournament.rounds)
    last = tournament.cycles - 1
    found: list[Value] = [sums[tournament.place(k, last)] for k in range(tournament.particles)]
    for k in range(spurions):
        summands = sharing.summands(f"{node.output}_spurion{k}", rows[k], values)
        ((total,),) = builder.netlist.lanes(f"{node.output}_spurion{k}", [summands], row_total)
        found.insert(k, total)
    builder.store(node.output, range(len(rows)), found)
    if builder.graph.elementwise(node.output):
        lanes = [[value] for value in found[:spurions]] + sharing.in_turn([[value] for value in found[spurions:]])
        heads, index = f"{node.output}_jet", [[k] for k in range(len(rows))]
        if spurions:
            builder.add_piece(node, heads, lanes[:spurions], index[:spurions], row_total, stored=True)
        builder.add_piece(node, f"{node.output}_quantised", lanes[spurions:], index[spurions:], row_total, stored=True)

"""Minkowski products of many pairs of vectors: in DSPs, in LUTs, or traced."""

from __future__ import annotations

from collections.abc import Sequence

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators.spurion_dot import SpurionDot
from nanopelican_hls.rtl.netlist import Value, Word
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.products import Vector, components
from nanopelican_hls.rtl.sharing import Ring
from nanopelican_hls.rtl.symbolic import Symbolic


def momenta(node: Node, builder: PieceBuilder, vectors: Sequence[Vector]) -> Ring:
    """Bring momenta, spurions first, to each other.

    Where constituents come in turn, so does what products need of each of them alone (`Products.alone`); it goes along.
    """
    sharing, products = builder.sharing, builder.products
    spurions = len(vectors) - sharing.tournament.particles
    rows = [list(vector) for vector in vectors]
    constituents = rows[spurions:]
    if products and any(isinstance(value, Word) and value.phase is not None for value in constituents[0]):
        alone = products.alone(node.output, [tuple(row) for row in constituents])
        if alone is not None:
            rows[spurions:] = [[*row, word] for row, word in zip(constituents, alone, strict=True)]
    return sharing.pairs(rows)


def add_dots(
    node: Node,
    coordinates: str,
    builder: PieceBuilder,
    lanes: Sequence[tuple[Vector, Vector]],
    live: Sequence[Value],
) -> None:
    """Add products of pairs of vectors (`momenta`); those that are constant or too wide for multipliers are traced.

    A product is 0 where its flag ``live`` is 0.
    """
    products = builder.products
    in_dsp = [k for k, lane in enumerate(lanes) if products and all(isinstance(v, Word) for v in sum(lane, ()))]
    if in_dsp:
        values, half = builder.program.ranges[node.output], builder.half_unit(node)
        assert products
        dots = products.dots(node.output, [lanes[k] for k in in_dsp], values, half)
        if dots is None:
            in_dsp = []
        else:
            index = [[k] for k in in_dsp]
            flags = [live[k] for k in in_dsp]
            builder.add_piece(node, node.output, [[dot] for dot in dots], index, _same, None, half > 0, flags)
    rest = [k for k in range(len(lanes)) if k not in set(in_dsp)]

    def compute(row: Symbolic) -> Symbolic:
        count = row.shape[1] // 2
        parts: list[Symbolic | None] = [row[:, k : k + 1] for k in range(row.shape[1])]
        one, other = (parts[:count] + [None] * (4 - count), parts[count:] + [None] * (4 - count))
        result: Symbolic = SpurionDot(coordinates).compute(*one, *other)
        return result

    if rest:
        flat = [[*components(lanes[k][0]), *components(lanes[k][1])] for k in rest]
        flags = [live[k] for k in rest]
        builder.add_piece(node, f"{node.output}_traced", flat, [[k] for k in rest], compute, live=flags)


def _same(row: Symbolic) -> Symbolic:
    return row

"""Weights from tables over the multiplicity (nPELICAN_N), and their products, which need multipliers."""

from __future__ import annotations

from collections.abc import Sequence

from nanopelican_hls.contract.program import Node
from nanopelican_hls.operators.particle_mix import MultiplicityRow
from nanopelican_hls.rtl.netlist import Value
from nanopelican_hls.rtl.piece_builder import PieceBuilder
from nanopelican_hls.rtl.symbolic import Symbolic


def is_table(table: Symbolic) -> bool:
    """Whether a parameter, weights [C] or [T, C], depends on the multiplicity."""
    return len(table.shape) > 1 and table.shape[0] > 1


def select(node: Node, builder: PieceBuilder) -> list[Value]:
    """The flags that select a row: the mask, or the bin; neither if no parameter is a table."""
    inputs = builder.inputs_of(node)
    flags = [value for name in ("mask", "multiplicity_bin") for value in inputs.get(name, ())]
    return builder.sharing.at_once(flags)


def looked_up(node: Node, builder: PieceBuilder, *names: str) -> list[Value]:
    """Rows of the tables of a node, one after another, in a piece; nothing if the first is not a table."""
    parameters = builder.parameters_of(node)
    tables = [Symbolic(parameters[name]) for name in names]
    if not is_table(tables[0]):
        return []

    def compute(row: Symbolic) -> Symbolic:
        chosen = MultiplicityRow(row, None)
        return Symbolic.concatenated([chosen.of(table) for table in tables])

    (weights,) = builder.netlist.lanes(f"{node.output}_{names[0]}", [select(node, builder)], compute)
    return weights


def multiplied(
    builder: PieceBuilder, name: str, values: Sequence[Value], weights: Sequence[Value]
) -> tuple[list[Value], list[Value]]:
    """Numbers and weights as they are, to be multiplied in a piece; or ones and their products, if made in LUTs."""
    factors = list(zip(values, weights, strict=True))
    made = builder.products.in_fabric(name, factors) if builder.products and factors else None
    return (list(values), list(weights)) if made is None else ([1.0] * len(made), made)

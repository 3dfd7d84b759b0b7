"""How the tensors fill their types: extremes, shares of clipped values and of zeros, histograms."""

from __future__ import annotations

from nanopelican_hls.report.content import Cell, Column, Counts, Paragraph, Section, Table
from nanopelican_hls.report.subject import Subject
from nanopelican_hls.report.tensors import type_bounds, type_name


def section(subject: Subject) -> Section:
    rows: list[tuple[Cell, ...]] = []
    program = subject.program
    for tensor, facts in subject.observed.facts.items():
        low, high = type_bounds(program, tensor)
        largest = max(-facts.low, facts.high)
        used = largest / max(-low, high)
        clipped = [
            None if count is None else 100 * count / facts.entries for count in (facts.clipped_low, facts.clipped_high)
        ]
        rows.append(
            (
                tensor,
                type_name(program, tensor),
                low,
                facts.low,
                facts.high,
                high,
                100 * used,
                *clipped,
                100 * facts.zeros / facts.entries,
                Counts(tuple(facts.counts.tolist())),
            )
        )
    return Section(
        "distributions",
        "Tensors and their types",
        "Does every type fit what flows through it: what is clipped, what is always zero, which bits are idle?",
        (
            Table(
                "ranges",
                f"Integers of every tensor on {subject.said_of_jets}, places without a particle included. Clipped is "
                "what a quantiser cut to its lowest and highest value; the histogram covers the range of the type, "
                "with logarithmic heights.",
                (
                    Column("tensor"),
                    Column("type"),
                    Column("type from", compared=False),
                    Column("seen from"),
                    Column("seen to"),
                    Column("type to", compared=False),
                    Column("of range used", ".3g", "%"),
                    Column("clipped low", ".3g", "%"),
                    Column("clipped high", ".3g", "%"),
                    Column("zero", ".3g", "%"),
                    Column("histogram", compared=False),
                ),
                tuple(rows),
                subject.command,
            ),
            Paragraph(
                "Tensors without clipped shares have no quantiser: their types hold every value that can occur "
                "(interval analysis), so most of their range is never used by jets."
            ),
        ),
    )

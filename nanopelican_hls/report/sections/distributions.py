"""How the tensors fill their types: extremes, shares of clipped values and of zeros, histograms."""

from __future__ import annotations

from nanopelican_hls.report.content import Cell, Column, Counts, Paragraph, Section, Table
from nanopelican_hls.report.subject import Subject
from nanopelican_hls.report.tensors import type_bounds, type_name

#: share of a port's values, in percent, from which its clipping is told
CLIPPED = 1.0


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
                title="Integers of every tensor",
            ),
            *_clipping_ports(subject),
            Paragraph(
                "Tensors without clipped shares have no quantiser: their types hold every value that can occur "
                "(interval analysis), so most of their range is never used by jets."
            ),
        ),
    )


def _clipping_ports(subject: Subject) -> list[Paragraph]:
    """What it means that a port clips, if any does."""
    found = []
    for port in subject.program.inputs:
        facts = subject.observed.facts[port.tensor]
        share = 100 * ((facts.clipped_low or 0) + (facts.clipped_high or 0)) / facts.entries
        if share >= CLIPPED:
            found.append(f"{port.name.removesuffix('_in')} ({share:.3g}%)")
    if not found:
        return []
    return [
        Paragraph(
            f"Ports that clip {CLIPPED:g}% of their values or more: {', '.join(found)}. Training chose these ranges, "
            "where the loss is lowest with so many bits; a value beyond one enters as its end, and all figures of "
            "merit include that."
        )
    ]

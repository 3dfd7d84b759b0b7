"""Thresholds of the firmware's integer logit, for a signal efficiency or a rate of background."""

from __future__ import annotations

from nanopelican_hls.contract.port import Port
from nanopelican_hls.evaluation.working_points import WorkingPoint, at_threshold, for_background, for_signal
from nanopelican_hls.report.content import Block, Cell, Column, Measured, Missing, Paragraph, Section, Table
from nanopelican_hls.report.subject import Subject

SIGNAL = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
BACKGROUND = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002)


def section(subject: Subject) -> Section:
    return Section(
        "working-points",
        "Working points",
        "Which threshold, as an integer on the output port, gives which efficiency and which rate?",
        tuple(_blocks(subject)),
    )


def _blocks(subject: Subject) -> list[Block]:
    if subject.classes:
        return [
            Paragraph(
                f"The firmware has a logit for each of {', '.join(subject.classes)}; a trigger takes the largest, or a "
                "difference of two, so there is no single threshold to list."
            )
        ]
    if subject.labels is None:
        without = subject.command.split(" --jets")[0]
        return [Missing("Not measured: the jets have no labels", f"{without} --jets FILE")]
    (name,) = subject.logit_ports
    port = next(each for each in subject.program.outputs if each.name == name)
    points = [("logit above 0, the tag", at_threshold(subject.labels, subject.integers, 1))]
    points += [(f"{100 * e:g}% of the signal", for_signal(subject.labels, subject.integers, e)) for e in SIGNAL]
    points += [
        (f"{100 * e:g}% of the background", for_background(subject.labels, subject.integers, e)) for e in BACKGROUND
    ]
    return [
        Table(
            "thresholds",
            f"A jet passes if the integer on {port.name} is at least the threshold. Efficiencies and rejection are of "
            f"{subject.said_of_jets}, with errors of their number; the integers are those of the firmware, bit for "
            f"bit.",
            (
                Column("working point"),
                Column("threshold", "d"),
                Column("as bits"),
                Column("as logit", ".6g"),
                Column("signal efficiency", ".4f"),
                Column("background efficiency", ".5f"),
                Column("background rejection", ",.0f"),
            ),
            tuple(_row(title, point, port) for title, point in points),
            subject.command,
        ),
        Paragraph(
            f"{port.name} is a {'signed' if port.signed else 'unsigned'} integer of {port.bits} bits; the logit is "
            f"that "
            f"integer times 2^{port.exponent} = {2.0**port.exponent:g}."
        ),
    ]


def _row(title: str, point: WorkingPoint, port: Port) -> tuple[Cell, ...]:
    digits = -(-port.bits // 4)
    pattern = point.threshold & ((1 << port.bits) - 1)
    return (
        title,
        point.threshold,
        f"{port.bits}'h{pattern:0{digits}x}",
        point.threshold * 2.0**port.exponent,
        Measured(point.signal, point.signal_error),
        Measured(point.background, point.background_error),
        Measured(point.rejection, point.rejection_error, bound=point.rejection_error >= point.rejection),
    )

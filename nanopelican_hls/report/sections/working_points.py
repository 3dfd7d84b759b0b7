"""Thresholds of the firmware's integers, for a signal efficiency or a rate of background."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.evaluation.metrics import CLASSES, rejection
from nanopelican_hls.evaluation.working_points import threshold_at, threshold_for_background, working_point
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.report.content import Block, Cell, Column, Measured, Paragraph, Section, Table
from nanopelican_hls.report.subject import Subject
from nanopelican_hls.report.tensors import type_name

SIGNAL = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
BACKGROUND = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
#: outputs beside the logit, if the firmware has them (docs/result.md)
SCORE, ACCEPT = "score", "accept"


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
    labels = subject.labels
    if labels is None:
        return [subject.without_labels]
    (logit,) = subject.logit_tensors
    step = 2.0 ** subject.program.exponent(logit)
    fixed = [("logit above 0, the tag", 1)]
    for name, point in ((subject.card or {}).get("working_points") or {}).items():
        fixed.append((f"of the card: {name} of its validation signal", math.ceil(point["threshold"] / step)))
    outputs = {port.name for port in subject.program.outputs}
    blocks: list[Block] = [
        _table(subject, labels, logit, fixed),
        Paragraph(
            "A threshold is a whole integer, and many jets share one: the shares come out a little beside those that "
            "were asked for. The rejections among the figures of merit are interpolated to exactly 30% and 50% of the "
            "signal, and differ a little from those here."
        ),
    ]
    if SCORE in outputs:
        blocks.append(_table(subject, labels, SCORE, []))
    if ACCEPT in outputs:
        accepted = subject.integers_of(ACCEPT) == 1
        shares = [f"{100 * accepted[labels == label].mean():.2f}% of the {name}" for label, name in CLASSES.items()]
        blocks.append(Paragraph(f"The output {ACCEPT} is 1 for {' and '.join(shares)}."))
    return blocks


def _table(subject: Subject, labels: NDArray[np.int8], tensor: str, fixed: list[tuple[str, int]]) -> Table:
    """Thresholds on one tensor; ``fixed`` ones first, by title."""
    program, integers = subject.program, subject.integers_of(tensor)
    points = list(fixed)
    for share in SIGNAL:
        points.append((f"{100 * share:g}% of the signal", int(threshold_at(labels, integers, share))))
    for share in BACKGROUND:
        threshold = math.ceil(threshold_for_background(integers[labels == 0].astype(np.float64), share))
        points.append((f"{100 * share:g}% of the background", threshold))
    is_output = tensor in {port.tensor for port in program.outputs}
    where = f"the output {tensor}" if is_output else f"{tensor} (which itself does not go out)"
    return Table(
        "thresholds" if tensor != SCORE else "score_thresholds",
        f"A jet passes if the integer on {where} is at least the threshold. It is of type "
        f"{type_name(program, tensor)}: "
        f"the {tensor} is the integer times 2^{program.exponent(tensor)}. Efficiencies and rejection are of "
        f"{subject.said_of_jets}, with errors of their number; the integers are those of the firmware, bit for bit.",
        (
            Column("working point"),
            Column("threshold", "d"),
            Column("as bits"),
            Column(f"as {tensor}", ".6g"),
            Column("signal efficiency", ".4f"),
            Column("background efficiency", ".5f"),
            Column("background rejection", ",.0f"),
        ),
        tuple(_row(title, labels, integers, threshold, program.ranges[tensor]) for title, threshold in points),
        subject.command,
        title=f"Thresholds on {where}",
    )


def _row(
    title: str, labels: NDArray[np.int8], integers: NDArray[np.int64], threshold: int, of: FixedRange
) -> tuple[Cell, ...]:
    point = working_point(labels, integers, threshold)
    background = int(np.count_nonzero(labels == 0))
    found, error = rejection(round(point.background_efficiency * background), background)
    pattern, digits = threshold & ((1 << of.bits) - 1), -(-of.bits // 4)
    return (
        title,
        threshold,
        f"{of.bits}'h{pattern:0{digits}x}",
        threshold * 2.0**of.exponent,
        Measured(point.signal_efficiency, point.signal_efficiency_error),
        Measured(point.background_efficiency, point.background_efficiency_error),
        Measured(found, error, bound=error >= found),
    )

"""Calibration of a probability at an output ``score``: how many of the jets with a score are signal."""

from __future__ import annotations

import numpy as np

from nanopelican_hls.evaluation.metrics import LEAST_JETS, binomial_error
from nanopelican_hls.report.content import Cell, Column, Measured, Missing, Panel, Picture, Section, Series, Table
from nanopelican_hls.report.subject import Subject

PORT = "score"
BINS = 10


def section(subject: Subject) -> Section | None:
    """None if the firmware has no such output."""
    if PORT not in {port.name for port in subject.program.outputs}:
        return None
    question = "Is the score a probability: of the jets with 0.8, are 80% signal?"
    if subject.labels is None:
        missing = Missing("Not measured: the jets have no labels", f"{subject.command.split(' --jets')[0]} --jets FILE")
        return Section("calibration", "Calibration of the score", question, (missing,))
    scores = subject.integers_of(PORT) * 2.0 ** subject.program.exponent(PORT)
    signal = subject.labels == 1
    edges = np.linspace(0, 1, BINS + 1)
    place = np.clip(np.digitize(scores, edges) - 1, 0, BINS - 1)
    rows: list[tuple[Cell, ...]] = []
    points = []
    for k in range(BINS):
        inside = place == k
        jets = int(inside.sum())
        if jets < LEAST_JETS:
            rows.append((f"{edges[k]:.1f} to {edges[k + 1]:.1f}", None, None, jets))
            continue
        share, error, mean = (
            float(signal[inside].mean()),
            binomial_error(float(signal[inside].mean()), jets),
            float(scores[inside].mean()),
        )
        rows.append((f"{edges[k]:.1f} to {edges[k + 1]:.1f}", mean, Measured(share, error), jets))
        points.append((mean, share, error))
    x, y, errors = (tuple(column) for column in zip(*points, strict=True))
    worst = max(abs(share - mean) for mean, share, _ in points)
    return Section(
        "calibration",
        "Calibration of the score",
        question,
        (
            Picture(
                "calibration",
                f"Share of signal among {subject.said_of_jets} with a score; signal and background as many as in the "
                f"file.",
                f"Share of signal against the score: the largest distance from the diagonal is {worst:.3f}.",
                "score",
                (
                    Panel(
                        "share of signal",
                        (
                            Series("a perfect score", "all", "line", (0.0, 1.0), (0.0, 1.0), dashed=True),
                            Series("quantised, as the firmware", "quantised", "points", x, y, error=errors),
                        ),
                        limits=(0.0, 1.05),
                    ),
                ),
                subject.command,
                limits=(0.0, 1.0),
            ),
            Table(
                "calibration_bins",
                "The same as numbers",
                (Column("score"), Column("mean score", ".3f"), Column("share of signal", ".3f"), Column("jets")),
                tuple(rows),
                subject.command,
            ),
        ),
    )

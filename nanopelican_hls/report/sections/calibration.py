"""Calibration of a probability at an output ``score``: how many of the jets with a score are signal."""

from __future__ import annotations

from nanopelican_hls.evaluation.calibration import ScoreBin, reliability
from nanopelican_hls.report.content import (
    Cell,
    Column,
    Measured,
    Missing,
    Panel,
    Picture,
    Section,
    Series,
    Table,
)
from nanopelican_hls.report.subject import Subject

PORT = "score"


def section(subject: Subject) -> Section | None:
    """None if the firmware has no such output."""
    if PORT not in {port.name for port in subject.program.outputs}:
        return None
    blocks: tuple[Missing] | tuple[Picture, Table]
    if subject.labels is None:
        blocks = (subject.without_labels,)
    else:
        scores = subject.integers_of(PORT) * 2.0 ** subject.program.exponent(PORT)
        found = reliability(subject.labels, scores)
        blocks = _picture(subject, found), _table(subject, found)
    question = "Is the score a probability: of the jets with 0.8, are 80% signal?"
    return Section("calibration", "Calibration of the score", question, blocks)


def _picture(subject: Subject, found: list[ScoreBin]) -> Picture:
    points = [(b.mean, b.share, b.error) for b in found if b.mean is not None and b.share is not None and b.error]
    worst = max((abs(share - mean) for mean, share, _ in points), default=0.0)
    x, y, errors = (tuple(point[k] for point in points) for k in range(3))
    return Picture(
        "reliability",
        f"Share of signal against the score, on {subject.said_of_jets}. It is the share for as much signal and "
        f"background "
        "as are there.",
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
    )


def _table(subject: Subject, found: list[ScoreBin]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{b.low:.1f} to {b.high:.1f}",
            b.mean,
            None if b.share is None or b.error is None else Measured(b.share, b.error),
            b.jets,
        )
        for b in found
    ]
    return Table(
        "reliability_bins",
        "The same as numbers",
        (Column("score"), Column("mean score", ".3f"), Column("share of signal", ".3f"), Column("jets")),
        tuple(rows),
        subject.command,
    )

"""Figures of merit over seeds, with errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanopelican_hls.studies.runner import Result


@dataclass(frozen=True)
class Measured:
    """A figure over seeds: mean, spread (standard deviation, 0 for one seed), and statistical error from the jets."""

    mean: float
    spread: float
    statistical: float

    @property
    def error(self) -> float:
        """Both errors in quadrature, taking the spread as the error of the mean over seeds."""
        return math.hypot(self.spread, self.statistical)

    def text(self, digits: int) -> str:
        """Mean and spread; just the figure for one seed."""
        spread = f" ± {self.spread:.{digits}f}" if self.spread else ""
        return f"{self.mean:.{digits}f}{spread}"


def measured(results: Sequence[Result], figure: str, *, sample: str = "test", form: str = "float") -> Measured:
    """A figure over the seeds of one model."""
    values = [result.figures[sample][form][figure] for result in results]
    errors = [result.figures[sample][form].get(f"{figure}_error", math.nan) for result in results]
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return Measured(float(np.mean(values)), spread, float(np.mean(errors)))


def is_above(one: Measured, other: Measured) -> str:
    """Whether one figure is above another: "yes", "no", or "within errors"."""
    if abs(one.mean - other.mean) <= math.hypot(one.error, other.error):
        return "within errors"
    return "yes" if one.mean > other.mean else "no"


#: columns of a table, by title: a figure and its decimals
FIGURES = {"AUC": ("auc", 4), "rejection at 30%": ("rejection_30", 0), "at 50%": ("rejection_50", 0)}


def figure_cells(results: Sequence[Result]) -> list[str]:
    """Cells of the columns `FIGURES`, over the seeds."""
    return [measured(results, figure).text(places) for figure, places in FIGURES.values()]

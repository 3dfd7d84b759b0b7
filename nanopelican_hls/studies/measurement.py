"""Performance of fine-tuned choices of widths, for comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.precision.methods import Assignment
from nanopelican_hls.studies.runner import Result


@dataclass(frozen=True, eq=False)
class Measurement:
    """An assignment with the results of its fine-tuned networks; ``losses`` is [seeds, test jets]."""

    assignment: Assignment
    results: Sequence[Result]
    losses: NDArray[np.float64]

    def above(self, other: Measurement) -> tuple[float, float]:
        """Excess of the test loss over that of another, with its error: pairwise, for the same jets and seeds."""
        difference = self.losses - other.losses
        jets = difference.mean(0).std(ddof=1) / math.sqrt(difference.shape[1])
        seeds = difference.mean(1).std(ddof=1) / math.sqrt(len(difference)) if len(difference) > 1 else 0.0
        return float(difference.mean()), math.hypot(jets, seeds)

"""What fine-tuned choices of widths are worth, beside one another."""

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
    """An assignment with what its fine-tuned networks are worth; ``losses`` is [seeds, test jets]."""

    assignment: Assignment
    results: Sequence[Result]
    losses: NDArray[np.float64]

    def above(self, other: Measurement) -> tuple[float, float]:
        """By how much the test loss is higher than another's, and the error: same jets and seeds, so pair by pair."""
        difference = self.losses - other.losses
        jets = difference.mean(0).std(ddof=1) / math.sqrt(difference.shape[1])
        seeds = difference.mean(1).std(ddof=1) / math.sqrt(len(difference)) if len(difference) > 1 else 0.0
        return float(difference.mean()), math.hypot(jets, seeds)

"""Whether a score is a probability: the share of signal among jets with about the same score."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from nanopelican_hls.evaluation.metrics import LEAST_JETS, binomial_error, require_every_class


@dataclass(frozen=True)
class ScoreBin:
    """Jets with ``low <= score < high``: how many, their mean score, and the share of signal with its binomial error.

    Mean, share and error are None where there are fewer than `LEAST_JETS`.
    """

    low: float
    high: float
    jets: int
    mean: float | None = None
    share: float | None = None
    error: float | None = None


def reliability(labels: ArrayLike, scores: ArrayLike, bins: int = 10) -> list[ScoreBin]:
    """Bins of equal width from 0 to 1, of which the last has the score 1 too.

    Parameters
    ----------
    labels : [n]
        1 = signal, 0 = background.
    scores : [n]
        Between 0 and 1.
    bins : int

    Raises
    ------
    JetsError
        If a class has fewer than `LEAST_JETS` jets.
    """
    signal = require_every_class(labels, "labels", least=LEAST_JETS) == 1
    x = np.asarray(scores, dtype=np.float64)
    place = np.clip((x * bins).astype(np.int64), 0, bins - 1)
    found = []
    for k, (low, high) in enumerate(pairwise(np.linspace(0, 1, bins + 1).tolist())):
        inside = place == k
        jets = int(np.count_nonzero(inside))
        if jets < LEAST_JETS:
            found.append(ScoreBin(low, high, jets))
        else:
            share = float(signal[inside].mean())
            found.append(ScoreBin(low, high, jets, float(x[inside].mean()), share, binomial_error(share, jets)))
    return found

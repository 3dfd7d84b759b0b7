"""Working points: thresholds of the logit for a share of signal or background, and what they let through."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanopelican_hls.evaluation.metrics import binomial_error, labelled_logits

#: signal efficiencies of the working points on a card, in percent
PERCENT = (30, 50, 70)


@dataclass(frozen=True)
class WorkingPoint:
    """Shares of the jets whose logit reaches ``threshold``, with binomial errors (`metrics.binomial_error`)."""

    threshold: float
    signal_efficiency: float
    signal_efficiency_error: float
    background_efficiency: float
    background_efficiency_error: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def threshold_at(labels: ArrayLike, logits: ArrayLike, signal_efficiency: float) -> float:
    """The largest logit that at least a share of the signal reaches: of labels (1 = signal) and logits, both [n].

    Raises
    ------
    JetsError
        If a class has fewer than `metrics.LEAST_JETS` jets.
    NetworkError
        If a logit is not a finite number.
    """
    y, x = labelled_logits(labels, logits)
    signal = np.sort(x[y == 1])[::-1]
    # a share such as 0.3 is not exact in binary: 0.3 of 10 jets are 3, not 3 and a bit
    needed = max(1, math.ceil(round(signal_efficiency * len(signal), 6)))
    return float(signal[needed - 1])


def threshold_for_background(background_logits: NDArray[np.float64], share: float) -> float:
    """The lowest logit of these jets [n], or just above the highest, that no more than a share of them reaches."""
    values, counts = np.unique(background_logits, return_counts=True)
    reached = np.cumsum(counts[::-1])[::-1]
    allowed = values[reached <= share * len(background_logits)]
    return float(allowed[0]) if len(allowed) else math.nextafter(values[-1], math.inf)


def working_point(labels: ArrayLike, logits: ArrayLike, threshold: float) -> WorkingPoint:
    """What a threshold lets through; arguments and errors as of `threshold_at`."""
    y, x = labelled_logits(labels, logits)
    of_class = [x[y == label] >= threshold for label in (1, 0)]
    signal, background = (float(passed.mean()) for passed in of_class)
    errors = [binomial_error(share, len(jets)) for share, jets in zip((signal, background), of_class, strict=True)]
    return WorkingPoint(threshold, signal, errors[0], background, errors[1])

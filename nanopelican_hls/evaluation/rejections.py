"""The background rejection along a ROC curve with its error, and the threshold for a share of the background."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanopelican_hls.evaluation.metrics import rejection_at, roc


@dataclass(frozen=True, eq=False)
class Rejections:
    """Background rejection [points], with its error, at signal efficiencies; as of `Figures`."""

    signal_efficiency: NDArray[np.float64]
    rejection: NDArray[np.float64]
    error: NDArray[np.float64]


def rejections(labels: ArrayLike, logits: ArrayLike, signal_efficiencies: ArrayLike) -> Rejections:
    """The rejection at signal efficiencies, interpolated; arguments and errors as of `roc`."""
    curve, n_background = roc(labels, logits), int(np.count_nonzero(np.asarray(labels) == 0))
    at = np.asarray(signal_efficiencies, dtype=np.float64)
    found = np.array([rejection_at(curve, float(each), n_background) for each in at]).reshape(-1, 2)
    return Rejections(at, found[:, 0], found[:, 1])


def threshold_for_background(background_logits: NDArray[np.float64], share: float) -> float:
    """The lowest logit of these jets [n], or just above the highest, that no more than a share of them reaches."""
    values, counts = np.unique(background_logits, return_counts=True)
    reached = np.cumsum(counts[::-1])[::-1]
    allowed = values[reached <= share * len(background_logits)]
    return float(allowed[0]) if len(allowed) else math.nextafter(values[-1], math.inf)

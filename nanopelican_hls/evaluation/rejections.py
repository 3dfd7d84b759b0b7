"""The background rejection along a ROC curve, with its error."""

from __future__ import annotations

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

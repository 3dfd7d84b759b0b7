"""Figures of merit of a tagger."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import roc_auc_score, roc_curve


@dataclass(frozen=True)
class Figures:
    """What a set of logits is worth.

    ``loss`` is the mean binary cross entropy, ``accuracy`` that of ``logit > 0``; ``rejection_30`` and ``rejection_50``
    are one over the background efficiency at 30% and 50% signal efficiency.
    """

    loss: float
    auc: float
    accuracy: float
    rejection_30: float
    rejection_50: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def figures(labels: ArrayLike, logits: ArrayLike) -> Figures:
    """Figures from labels (1 = signal) and logits, both [n]; both classes must occur."""
    y, x = np.asarray(labels, dtype=np.float64), np.asarray(logits, dtype=np.float64)
    background, signal, _ = roc_curve(y, x, drop_intermediate=False)
    # no fewer than one background jet passes: a rejection is never infinite, nor better than the sample can show
    floor = 1 / np.count_nonzero(y == 0)
    rejection_30, rejection_50 = (1 / max(np.interp(at, signal, background), floor) for at in (0.3, 0.5))
    return Figures(
        loss=float(np.mean(np.logaddexp(0, x) - y * x)),
        auc=float(roc_auc_score(y, x)),
        accuracy=float(np.mean((x > 0) == (y > 0.5))),
        rejection_30=float(rejection_30),
        rejection_50=float(rejection_50),
    )

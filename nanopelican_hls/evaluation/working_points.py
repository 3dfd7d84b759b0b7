"""Working points of a tagger whose logit is an integer, with their errors; and the rejection along a ROC curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanopelican_hls.evaluation.metrics import (
    LEAST_JETS,
    binomial_error,
    rejection,
    rejection_at,
    require_every_class,
    roc,
)


@dataclass(frozen=True)
class WorkingPoint:
    """What passes a cut ``logit >= threshold``, as integers on the grid of the output.

    Efficiencies have binomial errors, a rejection that of `Figures`: equal to it if it is a lower bound.
    """

    threshold: int
    signal: float
    signal_error: float
    background: float
    background_error: float
    rejection: float
    rejection_error: float


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


def at_threshold(labels: ArrayLike, integers: ArrayLike, threshold: int) -> WorkingPoint:
    """What passes a threshold.

    Parameters
    ----------
    labels : [n]
        1 = signal, 0 = background.
    integers : int64 [n]
        Logits on the grid of the output.
    threshold : int
        A jet passes if its logit is at least this.

    Raises
    ------
    JetsError
        If a class has fewer than `LEAST_JETS` jets.
    """
    y = require_every_class(labels, "labels", least=LEAST_JETS) == 1
    passed = np.asarray(integers) >= threshold
    shares = [float(passed[kind].mean()) for kind in (y, ~y)]
    errors = [binomial_error(s, int(kind.sum())) for s, kind in zip(shares, (y, ~y), strict=True)]
    return WorkingPoint(
        threshold,
        shares[0],
        errors[0],
        shares[1],
        errors[1],
        *rejection(int(np.count_nonzero(passed & ~y)), int(np.count_nonzero(~y))),
    )


def for_signal(labels: ArrayLike, integers: ArrayLike, efficiency: float) -> WorkingPoint:
    """The highest threshold that a share ``efficiency`` of the signal or more passes; as `at_threshold`."""
    x = np.sort(np.asarray(integers)[np.asarray(labels) == 1])[::-1]
    needed = max(1, int(np.ceil(efficiency * len(x) - 1e-9)))
    return at_threshold(labels, integers, int(x[needed - 1]))


def for_background(labels: ArrayLike, integers: ArrayLike, efficiency: float) -> WorkingPoint:
    """The lowest threshold that no more than a share ``efficiency`` of the background passes; as `at_threshold`."""
    x = np.sort(np.asarray(integers)[np.asarray(labels) == 0])[::-1]
    allowed = int(np.floor(efficiency * len(x) + 1e-9))
    return at_threshold(labels, integers, int(x[allowed]) + 1 if allowed < len(x) else int(x[-1]))

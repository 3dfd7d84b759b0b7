"""Figures of merit of a tagger with statistical errors, and the ROC curve they come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanopelican_hls.errors import JetsError, NetworkError
from nanopelican_hls.files import write_atomically

#: fewest jets per class for figures of merit: at 30% signal efficiency three of ten signal jets pass
LEAST_JETS = 10

#: the two classes by label, signal first
CLASSES = {1: "signal", 0: "background"}


@dataclass(frozen=True)
class Figures:
    """Figures of merit of a set of logits.

    ``loss`` is the mean binary cross entropy, ``accuracy`` that of ``logit > 0``; ``rejection_30`` and ``rejection_50``
    are one over the background efficiency at 30% and 50% signal efficiency. Errors are one standard deviation, from the
    number of jets only: binomial for the accuracy; Hanley and McNeil's for the AUC [1]_; for a rejection binomial in
    the number of background jets that pass, propagated to its inverse, with the cut taken as given. No error is ever 0:
    each is at least that of a sample with one jet (for the AUC: one pair of jets) on the other side.

    A rejection never exceeds what the sample can show. If fewer than one background jet passes, it is the number of
    background jets, with *an error equal to it*: this marks a lower bound, at a confidence level of 1 - 1/e = 63%, the
    probability of seeing a jet if one is expected.

    References
    ----------
    .. [1] J. A. Hanley, B. J. McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC)
       curve", Radiology 143 (1982) 29, doi:10.1148/radiology.143.1.7063747, equations 1 and 2.
    """

    loss: float
    auc: float
    accuracy: float
    rejection_30: float
    rejection_50: float
    auc_error: float
    accuracy_error: float
    rejection_30_error: float
    rejection_50_error: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Roc:
    """A ROC curve from (0, 0) to (1, 1), all arrays float64 [points].

    ``signal_efficiency`` and ``background_efficiency`` are the fractions of jets with a logit of at least
    ``threshold``, which decreases from infinity. Straight segments keep only their end points, so thinning loses
    nothing.
    """

    signal_efficiency: NDArray[np.float64]
    background_efficiency: NDArray[np.float64]
    threshold: NDArray[np.float64]


def figures(labels: ArrayLike, logits: ArrayLike) -> Figures:
    """Figures of merit from labels (1 = signal) and logits, both [n].

    Raises
    ------
    JetsError
        If a class, named in the message, has fewer than `LEAST_JETS` jets.
    NetworkError
        If a logit is not a finite number.
    """
    from sklearn.metrics import roc_auc_score

    curve = roc(labels, logits)
    y, x = np.asarray(labels, dtype=np.float64), np.asarray(logits, dtype=np.float64)
    n_signal, n_background = (int(np.count_nonzero(y == label)) for label in (1, 0))
    auc = float(roc_auc_score(y, x))
    accuracy = float(np.mean((x > 0) == (y > 0.5)))
    rejection_30, rejection_50 = (rejection_at(curve, at, n_background) for at in (0.3, 0.5))
    return Figures(
        loss=float(np.mean(np.logaddexp(0, x) - y * x)),
        auc=auc,
        accuracy=accuracy,
        rejection_30=rejection_30[0],
        rejection_50=rejection_50[0],
        auc_error=_auc_error(auc, n_signal, n_background),
        accuracy_error=binomial_error(accuracy, len(y)),
        rejection_30_error=rejection_30[1],
        rejection_50_error=rejection_50[1],
    )


def roc(labels: ArrayLike, logits: ArrayLike) -> Roc:
    """The ROC curve of labels (1 = signal) and logits, both [n]; same errors as `figures`."""
    from sklearn.metrics import roc_curve

    y, x = labelled_logits(labels, logits)
    background, signal, threshold = roc_curve(y, x, drop_intermediate=True)
    return Roc(signal, background, threshold)


def labelled_logits(labels: ArrayLike, logits: ArrayLike) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Labels (1 = signal) and logits, both [n], as arrays; same errors as `figures`."""
    y, x = require_every_class(labels, "labels", least=LEAST_JETS), np.asarray(logits, dtype=np.float64)
    require_finite(x)
    return y, x


def save_roc(curve: Roc, path: Path) -> None:
    """Write a ROC curve as CSV, one line per point, at full precision.

    Raises
    ------
    NetworkError
        If the file cannot be written.
    """
    lines = ["signal_efficiency,background_efficiency,threshold"]
    columns = (curve.signal_efficiency, curve.background_efficiency, curve.threshold)
    lines += [",".join(map(repr, point)) for point in zip(*(c.tolist() for c in columns), strict=True)]
    write_atomically(path, "\n".join(lines) + "\n", NetworkError)


def require_finite(logits: NDArray[np.float64]) -> None:
    """Reject logits [n] or [n, K] that are not finite; the `NetworkError` names the first jet."""
    for jet, *place in np.argwhere(~np.isfinite(logits))[:1]:
        raise NetworkError(
            f"the logit is {logits[(jet, *place)]}",
            where=f"jet {jet}",
            remedy="look for NaN or infinite parameters or inputs",
        )


def class_names(classes: Sequence[str] = ()) -> dict[int, str]:
    """Names by label."""
    return dict(enumerate(classes)) or CLASSES


def require_every_class(
    labels: ArrayLike | None, where: str, classes: Sequence[str] = (), *, least: int = 1
) -> NDArray[Any]:
    """Labels as an array; a `JetsError` if they are None, or if a class has fewer than ``least`` jets.

    Labels are positions in ``classes``, or 1 = signal and 0 = background.
    """
    if labels is None:
        wanted = f"of the classes {', '.join(classes)}" if classes else "with is_signal 0 and 1"
        raise JetsError("has no labels", where=where, remedy=f"use jets {wanted}")
    y = np.asarray(labels)
    for label, name in class_names(classes).items():
        found = int(np.count_nonzero(y == label))
        if found < least:
            raise JetsError(
                f"has {found or 'no'} {name} jets (label {label}), but at least {least} are needed",
                where=where,
                remedy=f"use more jets, of {'every class' if classes else 'both classes'}",
            )
    return y


def rejection_at(curve: Roc, signal_efficiency: float, n_background: int) -> tuple[float, float]:
    """Background rejection at a signal efficiency, interpolated linearly in the efficiencies, and its error."""
    at = np.interp(signal_efficiency, curve.signal_efficiency, curve.background_efficiency)
    return rejection(float(at) * n_background, n_background)


def rejection(passing: float, n_background: int) -> tuple[float, float]:
    """Background rejection where ``passing`` of the background jets pass, and its error, as in `Figures`."""
    if passing < 1:
        return float(n_background), float(n_background)
    efficiency = passing / n_background
    return 1 / efficiency, math.sqrt(_off_the_ends(1 - efficiency, n_background) / passing) / efficiency


def _auc_error(auc: float, n_signal: int, n_background: int) -> float:
    a = _off_the_ends(auc, n_signal * n_background)
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    variance = a * (1 - a) + (n_signal - 1) * (q1 - a * a) + (n_background - 1) * (q2 - a * a)
    return math.sqrt(variance / (n_signal * n_background))


def binomial_error(share: float, n: int) -> float:
    """Standard deviation of a share of n jets, at least that of a sample with one jet on the other side."""
    return math.sqrt(_off_the_ends(share, n) * _off_the_ends(1 - share, n) / n)


def _off_the_ends(share: float, n: int) -> float:
    """Clip a fraction of n to at least 1/n away from 0 and 1, so that no error estimate is 0."""
    return min(max(share, 1 / n), 1 - 1 / n)

"""Figures of merit of a tagger of several classes: of each class against all others, and of each pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp
from sklearn.metrics import roc_auc_score

from nanopelican_hls.evaluation.loss import cross_entropy
from nanopelican_hls.evaluation.metrics import (
    LEAST_JETS,
    Roc,
    binomial_error,
    figures,
    require_every_class,
    require_finite,
    roc,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ClassFigures:
    """Figures of merit of the logits of K classes.

    ``loss`` is the mean cross entropy of the softmax, ``accuracy`` that of the class with the largest logit (the first
    of equal ones), and ``auc`` the mean over ``classes``: the `Figures` of each class against all others, by name, with
    `against_others` as logit. ``pairwise_auc`` is that of a class (outer name) as signal against another (inner name),
    with the difference of their logits, on the jets of these two.
    """

    loss: float
    auc: float
    accuracy: float
    accuracy_error: float
    classes: Mapping[str, Mapping[str, float]]
    pairwise_auc: Mapping[str, Mapping[str, float]]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def class_figures(labels: ArrayLike, logits: ArrayLike, classes: Sequence[str]) -> ClassFigures:
    """Figures of merit from labels [n], positions in ``classes``, and logits [n, K]; errors as for `figures`."""
    y, x = _checked(labels, logits, classes)
    each = {name: figures(y == k, against_others(x, k)).as_dict() for k, name in enumerate(classes)}
    accuracy = float(np.mean(tags(x) == y))
    return ClassFigures(
        loss=cross_entropy(torch.as_tensor(x), torch.as_tensor(y)).item(),
        auc=float(np.mean([found["auc"] for found in each.values()])),
        accuracy=accuracy,
        accuracy_error=binomial_error(accuracy, len(y)),
        classes=each,
        pairwise_auc={
            one: {other: _pair_auc(y, x, k, j) for j, other in enumerate(classes) if j != k}
            for k, one in enumerate(classes)
        },
    )


def class_rocs(labels: ArrayLike, logits: ArrayLike, classes: Sequence[str]) -> dict[str, Roc]:
    """The ROC curve of each class against all others, by name; arguments and errors as for `class_figures`."""
    y, x = _checked(labels, logits, classes)
    return {name: roc(y == k, against_others(x, k)) for k, name in enumerate(classes)}


def against_others(logits: Array, position: int) -> Array:
    """The logit [n] of a class's probability: its own [n, K] minus the logarithm of the others' sum of exponentials."""
    found: Array = logits[:, position] - logsumexp(np.delete(logits, position, axis=1), axis=1)
    return found


def auc(labels: ArrayLike, logits: Array) -> float:
    """Area under the ROC curve of logits [n], or the mean over K classes [n, K], each against all others."""
    y = np.asarray(labels)
    if logits.ndim == 1:
        return float(roc_auc_score(y, logits))
    return float(np.mean([roc_auc_score(y == k, against_others(logits, k)) for k in range(logits.shape[1])]))


def tags(logits: Array) -> NDArray[np.intp]:
    """What each jet is tagged as: whether its logit [n] is above 0, or the class with its largest logit [n, K]."""
    found: NDArray[np.intp] = (logits > 0).astype(np.intp) if logits.ndim == 1 else np.argmax(logits, axis=1)
    return found


def _pair_auc(labels: NDArray[np.intp], logits: Array, one: int, other: int) -> float:
    chosen = (labels == one) | (labels == other)
    return float(roc_auc_score(labels[chosen] == one, logits[chosen, one] - logits[chosen, other]))


def _checked(labels: ArrayLike, logits: ArrayLike, classes: Sequence[str]) -> tuple[NDArray[np.intp], Array]:
    y = require_every_class(labels, "labels", classes, least=LEAST_JETS).astype(np.intp)
    x = np.asarray(logits, dtype=np.float64)
    require_finite(x)
    return y, x

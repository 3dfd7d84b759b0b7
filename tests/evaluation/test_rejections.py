"""The rejection along a ROC curve, and thresholds for a share of the background."""

from __future__ import annotations

import numpy as np
import pytest

from nanopelican_hls.evaluation.metrics import figures, rejection
from nanopelican_hls.evaluation.rejections import rejections
from nanopelican_hls.evaluation.working_points import threshold_for_background

RNG = np.random.default_rng(3)
LABELS = np.repeat([1, 0], [300, 700])
LOGITS = RNG.normal(size=1000) + 2 * LABELS


def test_the_rejection_is_that_of_the_figures():
    found, of = rejections(LABELS, LOGITS, [0.3, 0.5]), figures(LABELS, LOGITS)
    assert found.rejection.tolist() == [of.rejection_30, of.rejection_50]
    assert found.error.tolist() == [of.rejection_30_error, of.rejection_50_error]


def test_the_rejection_falls_with_the_efficiency():
    found = rejections(LABELS, LOGITS, np.linspace(0.01, 1, 50)).rejection
    assert (np.diff(found) <= 0).all()
    assert found[-1] >= 1


def test_a_bound_has_an_error_as_large():
    assert rejection(0, 700) == (700, 700)
    value, error = rejection(7, 700)
    assert value == 100
    assert error == pytest.approx(100 * np.sqrt(0.99 / 7))


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 1.0])
def test_the_lowest_threshold_that_keeps_to_the_share(share):
    background = np.round(4 * LOGITS[LABELS == 0]) / 4
    threshold = threshold_for_background(background, share)
    assert np.mean(background >= threshold) <= share
    assert share == 1 or np.mean(background >= threshold - 0.25) > share


def test_no_logit_is_high_enough():
    assert 0 < threshold_for_background(np.zeros(10), 0.5) < 1e-300

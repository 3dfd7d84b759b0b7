from __future__ import annotations

import numpy as np
import pytest

from nanopelican_hls.network.metrics import figures


def test_by_hand():
    """Ten of each class: above 0 stand 8 signal jets and 1 background jet, the background jet below 5 of the signal."""
    signal = [9, 8, 7, 6, 5, 3, 2, 1, -3, -4]
    background = [4, *np.linspace(-2, -2.5, 4), *np.linspace(-5, -6, 5)]
    found = figures([1] * 10 + [0] * 10, signal + background)
    assert found.accuracy == (8 + 9) / 20
    pairs = sum(s > b for s in signal for b in background)
    assert found.auc == pytest.approx(pairs / 100)
    assert found.rejection_30 == 10  # none passes: no better than the sample can show
    logits = np.array(signal + background)
    probability = 1 / (1 + np.exp(-logits))
    expected = -np.mean(np.log(np.where(np.arange(20) < 10, probability, 1 - probability)))
    assert found.loss == pytest.approx(expected)


def test_guessing():
    rng = np.random.default_rng(0)
    found = figures(rng.integers(0, 2, 100_000), rng.normal(size=100_000))
    assert found.auc == pytest.approx(0.5, abs=0.01)
    assert found.rejection_50 == pytest.approx(2, rel=0.05)
    assert found.rejection_30 == pytest.approx(1 / 0.3, rel=0.05)


def test_huge_logits_do_not_overflow():
    assert figures([0, 1], [1e6, -1e6]).loss == 1e6
    assert figures([0, 1], [-1e6, 1e6]).loss == 0

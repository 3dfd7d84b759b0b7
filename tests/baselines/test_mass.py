from __future__ import annotations

import numpy as np
import pytest
import torch

from nanopelican_hls.baselines import create
from nanopelican_hls.baselines.mass_likelihood import BIN_GEV, BINS
from nanopelican_hls.evaluation.metrics import figures
from nanopelican_hls.jets.two_samples import mass_cut_auc, mass_gev


def test_cut_has_the_roc_curve_of_the_mass(sample):
    model = create("jet-mass-cut")
    model.fit(sample)
    found = figures(sample.labels, model.logits(sample))
    assert found.auc == pytest.approx(mass_cut_auc(sample), abs=1e-12)
    # logistic regression: the mean probability is the signal fraction, and any shift or stretch raises the loss
    probability = 1 / (1 + np.exp(-model.logits(sample)))
    assert probability.mean() == pytest.approx(sample.labels.mean(), abs=1e-3)
    for shifted in (model.logits(sample) + 0.05, model.logits(sample) * 1.05, model.logits(sample) * 0.95):
        assert figures(sample.labels, shifted).loss > found.loss


def test_likelihood_at_the_centres(sample):
    """From the definition, bin by bin."""
    model = create("jet-mass-likelihood")
    model.fit(sample)
    mass = mass_gev(sample)
    for k in (0, 10, 34, BINS - 1):
        here = (mass >= k * BIN_GEV) & ((mass < (k + 1) * BIN_GEV) | (k == BINS - 1))
        shares = [
            (np.count_nonzero(here & (sample.labels == label)) + 1) / (np.count_nonzero(sample.labels == label) + BINS)
            for label in (1, 0)
        ]
        centre = torch.tensor([(k + 0.5) * BIN_GEV], dtype=torch.float64)
        assert model({"mass_gev": centre}).item() == pytest.approx(np.log(shares[0] / shares[1]), abs=1e-12)


def test_likelihood_between_and_beyond_the_centres(sample):
    model = create("jet-mass-likelihood")
    model.fit(sample)
    ratio = model.log_ratio.tolist()
    at = torch.tensor([0.0, 2.5, 5.0, 6.25, 297.5, 299.0, 1e4], dtype=torch.float64)
    expected = [ratio[0], ratio[0], (ratio[0] + ratio[1]) / 2, ratio[0] / 4 + 3 * ratio[1] / 4, *[ratio[-1]] * 3]
    assert model({"mass_gev": at}).tolist() == pytest.approx(expected, abs=1e-12)


def test_likelihood_finds_a_peak(sample):
    """QCD has a tail of heavy jets that pass a cut but not a window."""
    cut, likelihood = create("jet-mass-cut"), create("jet-mass-likelihood")
    train, test = sample[:1500], sample[1500:]
    for model in (cut, likelihood):
        model.fit(train)
    found = figures(test.labels, likelihood.logits(test))
    assert found.auc > figures(test.labels, cut.logits(test)).auc + 0.02
    assert found.rejection_30 > 20

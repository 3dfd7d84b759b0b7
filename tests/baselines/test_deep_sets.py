from __future__ import annotations

import numpy as np
import pytest
import torch

from nanopelican_hls.baselines import create


@pytest.fixture
def model(sample):
    model = create("deep-sets", seed=1)
    model.fit(sample)
    return model.double().eval()


def test_features_are_standardised(model, sample):
    inputs = model.inputs(sample)
    present = inputs["features"][inputs["present"]]
    standard = (present - model.mean.numpy()) / model.deviation.numpy()
    assert np.abs(standard.mean(axis=0)).max() < 1e-3
    assert standard.std(axis=0) == pytest.approx(np.ones(5), abs=1e-3)
    assert inputs["present"].shape == (len(sample), 80)
    assert np.count_nonzero(inputs["present"]) == np.count_nonzero(sample.four_momenta[..., 0])


def test_features_by_hand(model, sample):
    """The leading constituent of one jet, from (pT, eta, phi) in the laboratory."""
    jet, constituent = sample.jet_four_momentum[4], sample.four_momenta[4, 0]

    def coordinates(p):
        pt = np.hypot(p[1], p[2])
        return pt, np.arcsinh(p[3] / pt), np.arctan2(p[2], p[1])

    (pt, eta, phi), (jet_pt, jet_eta, jet_phi) = coordinates(constituent), coordinates(jet)
    d_phi = (phi - jet_phi + np.pi) % (2 * np.pi) - np.pi
    expected = [np.log(pt), np.log(pt / jet_pt), eta - jet_eta, d_phi, np.hypot(eta - jet_eta, d_phi)]
    assert model.inputs(sample[4])["features"][0, 0] == pytest.approx(expected, abs=1e-5)


def test_permutation_invariance(model, sample):
    """In float64, with padding anywhere among the constituents."""
    inputs = {name: torch.as_tensor(values) for name, values in model.inputs(sample[:50]).items()}
    inputs["features"] = inputs["features"].double()
    order = torch.randperm(80, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before, after = model(inputs), model({name: values[:, order] for name, values in inputs.items()})
    assert after.tolist() == pytest.approx(before.tolist(), abs=1e-12)
    assert before.std() > 1e-4


def test_values_of_padding_do_not_matter(model, sample):
    inputs = {name: torch.as_tensor(values) for name, values in model.inputs(sample[:50]).items()}
    inputs["features"] = inputs["features"].double()
    filled = torch.where(inputs["present"][..., None], inputs["features"], 7.0)
    with torch.no_grad():
        assert torch.equal(model(inputs), model(inputs | {"features": filled}))

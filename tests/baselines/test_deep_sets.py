from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nanopelican_hls.baselines import create, train_baseline
from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.two_samples import mass_gev


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


class TestWithTheJet:
    """Few constituents, three classes, and the whole jet."""

    @pytest.fixture
    def model(self, sample):
        model = create("deep-sets", seed=1, constituents=4, classes=3, of_jet=True)
        model.fit(sample)
        return model.eval()

    def test_inputs(self, model, sample):
        inputs = model.inputs(sample)
        assert inputs["features"].shape == (len(sample), 4, 5)
        energy, px, py, pz = sample.jet_four_momentum[4]
        mass = np.sqrt(energy**2 - px**2 - py**2 - pz**2)
        expected = [np.log(np.hypot(px, py)), np.log(mass), sample.multiplicity[4]]
        assert inputs["jet"][4] == pytest.approx(expected, rel=1e-5)
        standard = (inputs["jet"] - model.jet_mean.numpy()) / model.jet_deviation.numpy()
        assert np.abs(standard.mean(axis=0)).max() < 1e-3
        assert standard.std(axis=0) == pytest.approx(np.ones(3), abs=1e-3)

    def test_logits(self, model, sample, odd_jets):
        assert model.parameter_count == create("deep-sets").parameter_count + 3 * 32 + 2 * 33
        logits = model.logits(sample[:50])
        assert logits.shape == (50, 3)
        assert np.isfinite(model.logits(odd_jets)).all()
        # two taggers that differ in nothing but the jet
        other = replace(sample[:50], multiplicity=sample.multiplicity[:50] + 10)
        assert (model.logits(other) != logits).all()

    def test_training(self, model, train, valid):
        names = ("light", "middle", "heavy")
        edges = np.quantile(mass_gev(train), [1 / 3, 2 / 3])
        train, valid = (
            replace(jets, labels=np.searchsorted(edges, mass_gev(jets)), classes=names) for jets in (train, valid)
        )
        trained = train_baseline(model, train, valid, epochs=4, batch_size=20, classes=names)
        assert trained.figures.auc > 0.95
        assert list(trained.figures.classes) == list(names)
        with pytest.raises(JetsError, match="training jets: has the classes light, middle, heavy, but the network has"):
            train_baseline(model, train, valid, epochs=1, classes=names[:2])

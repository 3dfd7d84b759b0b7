"""Properties of every baseline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nanopelican_hls.baselines import BASELINES, create, train_baseline
from nanopelican_hls.errors import JetsError, NetworkError, TrainingError

PARAMETERS = {
    "jet-mass-cut": 2,
    "jet-mass-likelihood": 60,
    "lorentznet": 120,
    "topodnn": 59_323,
    "deep-sets": 3_393,
    "transformer": 19_521,
}
TRAINED = ["lorentznet", "topodnn", "deep-sets", "transformer"]


@pytest.fixture(params=PARAMETERS)
def model(request):
    return create(request.param, seed=3)


def test_all_are_here():
    assert list(BASELINES) == list(PARAMETERS)
    assert len({baseline.title for baseline in BASELINES.values()}) == len(BASELINES)


def test_parameter_count(model):
    assert model.parameter_count == PARAMETERS[model.name]


def test_logits_of_all_jets(model, train):
    inputs = model.inputs(train)
    assert {len(values) for values in inputs.values()} == {len(train)}
    model.fit(train)
    model.eval()
    with torch.no_grad():
        expected = model({name: torch.as_tensor(values) for name, values in inputs.items()})
    assert expected.shape == (len(train),)
    logits = model.logits(train)
    assert logits.dtype == np.float64
    assert logits == pytest.approx(expected.double().numpy(), abs=1e-5)
    # other jets of the batch do not matter
    assert model.logits(train[:7]) == pytest.approx(logits[:7], abs=1e-5)


def test_odd_jets_have_finite_logits_and_gradients(model, odd_jets, train):
    """And neither depends on which jets are beside them."""
    model.fit(train)
    logits = model.logits(odd_jets)
    assert np.isfinite(logits).all()
    assert [model.logits(odd_jets[k])[0] for k in range(len(odd_jets))] == pytest.approx(logits, abs=1e-5)
    if not model.trainable:
        return
    inputs = {name: torch.as_tensor(values) for name, values in model.inputs(odd_jets).items()}
    model.train()
    assert all(torch.isfinite(gradient).all() for gradient in gradients(model, inputs))
    model.eval()
    whole = gradients(model, inputs)
    each = [gradients(model, {name: x[k : k + 1] for name, x in inputs.items()}) for k in range(len(odd_jets))]
    assert any(gradient.abs().max() > 0 for gradient in whole)
    for gradient, parts in zip(whole, zip(*each, strict=True), strict=True):
        torch.testing.assert_close(sum(parts), gradient, rtol=1e-4, atol=1e-5)


def gradients(model, inputs):
    """Of the sum of the logits, by trainable parameter."""
    model.zero_grad()
    model(inputs).sum().backward()
    return [parameter.grad.clone() for parameter in model.trainable]


@pytest.mark.parametrize("name", TRAINED)
def test_seeds(name):
    """A seed determines the initial values and leaves the global random state alone."""
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    first, again, other = create(name, seed=1), create(name, seed=1), create(name, seed=2)
    assert torch.rand(1) == expected
    pairs = list(zip(first.parameters(), again.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert any(not torch.equal(a, c) for a, _, c in pairs)


@pytest.mark.parametrize("name", TRAINED)
def test_training_lowers_the_loss(name, train, valid):
    model = create(name, seed=3)
    before = train_baseline(model, train[:300], valid, epochs=0)
    assert before.losses == ()
    assert before.best_epoch == 0
    trained = train_baseline(model, train[:300], valid, epochs=4, batch_size=10)
    assert trained.figures.loss < before.figures.loss - 0.1
    assert trained.figures.auc > 0.75


@pytest.mark.parametrize("name", ["jet-mass-cut", "jet-mass-likelihood"])
def test_cuts_are_fitted(name, train, valid):
    trained = train_baseline(create(name), train, valid, epochs=4)
    assert trained.losses == ()
    assert trained.figures.auc > 0.85


def test_the_best_epoch_is_kept(train, valid):
    """At a learning rate for which the loss fluctuates strongly."""
    trained = train_baseline(create("deep-sets"), train, valid, epochs=6, batch_size=50, learning_rate=0.05)
    assert trained.best_epoch < 6
    assert trained.figures.loss == min(trained.losses) == trained.losses[trained.best_epoch - 1]
    again = train_baseline(trained.model, train, valid, epochs=0)
    assert again.figures == trained.figures


def test_training_is_reproducible(train, valid):
    runs = [train_baseline(create("lorentznet"), train, valid, epochs=1, batch_size=200).losses for _ in range(2)]
    assert runs[0] == runs[1]
    other = train_baseline(create("lorentznet"), train, valid, epochs=1, batch_size=200, seed=2).losses
    assert other != runs[0]


def test_missing_class(model, train, valid):
    with pytest.raises(JetsError, match="training jets: has no signal jets"):
        train_baseline(model, train[train.labels == 0], valid, epochs=1)
    with pytest.raises(JetsError, match="validation jets: has no background jets"):
        train_baseline(model, train, valid[valid.labels == 1], epochs=1)


def test_more_than_two_classes(train, valid):
    train_three, valid_three = (replace(jets, classes=("g", "W", "t")) for jets in (train, valid))
    with pytest.raises(JetsError, match=r"training jets: has 3 classes \(g, W, t\)"):
        train_baseline(create("jet-mass-cut"), train_three, valid, epochs=0)
    with pytest.raises(JetsError, match=r"validation jets: has 3 classes \(g, W, t\)"):
        train_baseline(create("jet-mass-cut"), train, valid_three, epochs=0)


def test_too_few_validation_jets(train, valid):
    with pytest.raises(JetsError, match="at least 10 are needed"):
        train_baseline(create("jet-mass-cut"), train, valid[:12], epochs=1)


def test_divergence(train, valid):
    with pytest.raises(TrainingError, match="topodnn training, epoch 1, batch"):
        train_baseline(create("topodnn"), train, valid, epochs=1, batch_size=50, learning_rate=1e6)


def test_unknown_name():
    with pytest.raises(NetworkError, match="no baseline 'particlenet'"):
        create("particlenet")

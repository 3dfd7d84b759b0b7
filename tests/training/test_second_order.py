"""The second-order finish: it gets below Adam, goes on after a kill as if nothing had happened, and never diverges."""

from __future__ import annotations

import logging
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from random_networks import random_ports
from tiny_training import assert_same, run, run_and_kill
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from nanopelican_hls.config import Config
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.network.checkpoint import Checkpoint, load_mapping
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.square_products import square_products
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, Spurions
from nanopelican_hls.training import second_order
from nanopelican_hls.training.run_folder import RunFolder
from nanopelican_hls.training.second_order import SecondOrder
from nanopelican_hls.training.seed_training import SeedTraining

FLOAT_EPOCHS = 3


@pytest.fixture
def finished(config) -> Config:
    """Only float training, with a finish."""
    recipe = replace(config.training, float_epochs=FLOAT_EPOCHS, second_order_steps=12, quantised_epochs=0)
    return replace(config, training=recipe)


@pytest.fixture
def phase(config, sample) -> SecondOrder:
    return SecondOrder(FloatNetwork(config.network, nbar=4, seed=0), sample, steps=50, where="tiny seed 0")


def rows(path, phase: str) -> list[dict[str, float]]:
    return [row for row in load_mapping(path / "last.pt")["history"] if row["phase"] == phase]


def test_goes_below_adam(finished, sample, tmp_path):
    checkpoint = run(finished, sample, tmp_path)
    adam, steps = rows(tmp_path, "float"), rows(tmp_path, "second_order")
    losses = [row["train_loss"] for row in steps]
    assert losses[-1] < min(row["train_loss"] for row in adam)
    assert losses == sorted(losses, reverse=True)
    assert checkpoint.metrics["valid"]["float"]["loss"] < min(row["loss"] for row in adam)
    # trained in float64, kept in float32 as every float network
    assert {value.dtype for value in checkpoint.float_state.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("steps", "changes"), [(0, {}), (1, {"batch_norm": True}), (7, {}), (7, {"multiplicity_scaling": True}), (12, {})]
)
def test_resumes_bit_for_bit(finished, sample, tmp_path, steps, changes):
    finished = replace(finished, network=replace(finished.network, **changes))
    expected = run(finished, sample, tmp_path / "whole")
    run_and_kill(finished, sample, tmp_path / "killed", FLOAT_EPOCHS + steps)
    found = run(finished, sample, tmp_path / "killed")
    assert found.metrics == expected.metrics
    for name, value in expected.float_state.items():
        assert torch.equal(found.float_state[name], value)
    assert rows(tmp_path / "killed", "second_order") == rows(tmp_path / "whole", "second_order")


@pytest.mark.parametrize("saves", [FLOAT_EPOCHS + 5, FLOAT_EPOCHS + 13])
def test_fine_tuning_starts_from_it(finished, sample, tmp_path, saves):
    """Killed in the finish, and in the quantised phase."""
    quantised = replace(finished, training=replace(finished.training, quantised_epochs=2))
    expected = run(quantised, sample)
    run_and_kill(quantised, sample, tmp_path, saves)
    assert_same(run(quantised, sample, tmp_path), expected)
    float_only = run(finished, sample)
    for name, value in float_only.float_state.items():
        assert torch.equal(expected.float_state[name], value)


def test_ends_when_the_validation_loss_falls_no_more(finished, sample, tmp_path):
    """On jets with flipped labels every step makes it worse."""
    recipe = replace(finished.training, second_order_patience=4)
    flipped = Sample(sample.values, 1 - sample.labels)

    def train() -> Checkpoint:
        folder = RunFolder(tmp_path)
        return SeedTraining(replace(finished, training=recipe), 1, sample, flipped, folder=folder).run()

    checkpoint = train()
    losses = [row["loss"] for row in rows(tmp_path, "second_order")]
    state = load_mapping(tmp_path / "last.pt")
    assert len(losses) == state["best"]["epoch"] + 4
    assert checkpoint.metrics["valid"]["float"]["loss"] == pytest.approx(state["best"]["figures"]["loss"], rel=1e-6)
    assert train().metrics == checkpoint.metrics
    assert len(rows(tmp_path, "second_order")) == len(losses)


class TestDivergence:
    """Whatever a step does, the last good parameters stay."""

    @pytest.mark.parametrize("factor", [math.nan, math.inf, 1e3], ids=str)
    def test_one_step_is_undone_and_the_next_goes_on(self, phase, monkeypatch, caplog, factor):
        losses = [phase.run_epoch() for _ in range(3)]
        before = [parameter.clone() for parameter in phase.model.parameters()]
        diverging(monkeypatch, factor)
        assert phase.run_epoch() == losses[-1]
        for parameter, value in zip(phase.model.parameters(), before, strict=True):
            assert torch.equal(parameter, value)
        assert "tiny seed 0: second-order step 4, from a loss of" in caplog.text
        assert "is undone; the next starts without memory" in caplog.text
        monkeypatch.undo()
        assert phase.run_epoch() < losses[-1]
        assert (phase.epoch, phase.epochs) == (5, 50)

    def test_two_steps_end_the_phase(self, finished, sample, tmp_path, monkeypatch, caplog):
        run_and_kill(finished, sample, tmp_path, FLOAT_EPOCHS + 4)
        good = load_mapping(tmp_path / "last.pt")
        diverging(monkeypatch, math.nan)
        checkpoint = run(finished, sample, tmp_path)
        assert "is undone; it is the last" in caplog.text
        state = load_mapping(tmp_path / "last.pt")
        assert state["epoch"] == 4 + 2
        for name, value in good["model"].items():
            assert torch.equal(state["model"][name], value)
        assert checkpoint.metrics["valid"]["float"]["loss"] == pytest.approx(good["best"]["figures"]["loss"], rel=1e-6)
        monkeypatch.undo()  # what has ended is not taken up again
        assert run(finished, sample, tmp_path).metrics == checkpoint.metrics

    def test_the_line_search_turns_back_where_the_loss_is_no_number(self, phase, monkeypatch, caplog):
        evaluate, calls = phase._evaluate, iter(range(100))

        def evaluated():
            loss, slope = evaluate()
            return (math.inf, slope * math.nan) if 1 <= next(calls) <= 3 else (loss, slope)

        monkeypatch.setattr(phase, "_evaluate", evaluated)
        start = evaluate()[0]
        assert phase.run_epoch() < start
        assert next(calls) > 4
        assert caplog.text == ""

    def test_a_loss_that_is_no_number_is_infinite(self, phase):
        with torch.no_grad():
            phase.model.b0.fill_(math.nan)
        loss, slope = phase._evaluate()
        assert loss == math.inf
        assert slope.isnan().all()


def diverging(monkeypatch, factor: float) -> None:
    """Every step of L-BFGS multiplies the parameters."""
    step = torch.optim.LBFGS.step

    def diverge(self, closure):
        step(self, closure)
        with torch.no_grad():
            for parameter in self.param_groups[0]["params"]:
                parameter.mul_(factor)

    monkeypatch.setattr(torch.optim.LBFGS, "step", diverge)


def test_converges_and_ends(config, sample, caplog):
    """Labels that say nothing have an optimum, after which no step lowers the loss."""
    caplog.set_level(logging.INFO, logger="nanopelican_hls")
    net = FloatNetwork(replace(config.network, channels=1), nbar=4, seed=0)
    blind = replace(sample.head(120), labels=np.arange(120) % 2.0)
    phase = SecondOrder(net, blind, steps=2000, where="tiny seed 0")
    while phase.epoch < phase.epochs:
        loss = phase.run_epoch()
    assert "is undone; it is the last" in caplog.text
    assert "WARNING" not in caplog.text
    assert phase.epoch < 2000
    assert loss == phase._loss() < math.log(2)


NETWORKS = {
    "jet": NetworkConfig(6, 2, spurions=Spurions.JET),
    "beams": NetworkConfig(6, 3, symmetric=False, spurions=Spurions.BEAMS, coordinates=Coordinates.CARTESIAN),
    "batch norm": NetworkConfig(6, 2, batch_norm=True),
    "multiplicity scaling": NetworkConfig(6, 2, spurions=Spurions.JET, multiplicity_scaling=True),
    "classes": NetworkConfig(6, 2, spurions=Spurions.JET, batch_norm=True, classes=("g", "W", "t")),
}


@pytest.mark.parametrize("held_bytes", [0, 60_000, 2 << 30])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_loss_is_that_of_all_jets_as_evaluated(network, held_bytes, monkeypatch):
    """With chunks held and computed again, padding cut off, no dropout, and tracked statistics that stay."""
    monkeypatch.setattr(second_order, "HELD_BYTES", held_bytes)
    monkeypatch.setattr(second_order, "CHUNK", 90)
    values = random_ports(network, 400)
    labels = torch.arange(400.0).remainder(len(network.classes) or 2).double()
    net = FloatNetwork(network, nbar=4, seed=0, dropout=0.5)
    if network.batch_norm:
        net.input_norm.running_mean.fill_(0.3)
        net.hidden_norm.running_var.fill_(2.0)
    phase = SecondOrder(net, Sample(values, labels.numpy()), steps=3, where="tiny")
    assert (len(phase._chunks._held) == 0) == (held_bytes == 0)
    assert (len(phase._chunks._held) == len(phase._chunks._parts)) == (held_bytes == 2 << 30)
    loss, slope = phase._evaluate()
    logits = net(square_products(network, values))
    expected = (
        cross_entropy(logits, labels.long()) if network.classes else binary_cross_entropy_with_logits(logits, labels)
    )
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    whole = torch.cat([part.flatten() for part in torch.autograd.grad(expected, list(net.parameters()))])
    assert slope.tolist() == pytest.approx(whole.tolist(), rel=1e-9, abs=1e-12)
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    phase.run_epoch()
    assert all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())

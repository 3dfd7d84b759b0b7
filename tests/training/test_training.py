"""Training learns, stops on divergence, and resumes after a kill as if nothing had happened."""

from __future__ import annotations

import functools
import pathlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_training import Killed, assert_same, run, run_and_kill
from torch import nn

from nanopelican_hls.config import InitialValues, Optimiser, Schedule, TrainingConfig
from nanopelican_hls.errors import NetworkError, TrainingError
from nanopelican_hls.evaluation.figures import quantised_figures
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.network.canonical import multiplier_free
from nanopelican_hls.network.checkpoint import load_checkpoint, load_mapping
from nanopelican_hls.network.fold import fold
from nanopelican_hls.network.model import TrainedModel, export_qonnx
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.training import seed_training
from nanopelican_hls.training.phase import Phase
from nanopelican_hls.training.run_folder import RunFolder
from nanopelican_hls.training.seed_training import SeedTraining


def test_learns(config, sample):
    longer = replace(config, training=replace(config.training, nbar=4, batch_size=32, float_epochs=10))
    checkpoint = run(longer, sample)
    metrics = checkpoint.metrics["valid"]
    assert metrics["float"]["auc"] > 0.9
    assert metrics["quantised"]["auc"] > metrics["float"]["auc"] - 0.01
    net = QuantisedNetwork.from_description(checkpoint.description)
    assert quantised_figures(net, sample).as_dict() == metrics["quantised"]


def test_seeds_differ_and_repeat(config, sample):
    first = run(config, sample)
    assert_same(first, run(config, sample))
    other = SeedTraining(config, 2, sample, sample).run()
    assert other.metrics != first.metrics


def test_fine_tuning_never_ends_worse_than_it_begins(config, sample):
    recipe = replace(config.training, nbar=4, batch_size=32, float_epochs=10, quantised_learning_rate=1e4)
    wild = replace(config, training=recipe)
    found = TrainedModel(run(wild, sample))
    for name, value in fold(found.float_network).items():
        np.testing.assert_array_equal(found.checkpoint.description.parameters[name], value.astype(np.float32))
    metrics = found.checkpoint.metrics["valid"]["quantised"]
    assert quantised_figures(found.quantised_network, sample).as_dict() == metrics


@pytest.mark.parametrize(("saves", "batch_norm"), [(1, False), (3, True), (4, False), (6, True), (7, False)])
def test_resumes_bit_for_bit(config, sample, tmp_path, saves, batch_norm):
    """Epochs 1 to 3 are float, 4 to 7 quantised; scales are frozen after epoch 5."""
    config = replace(config, network=replace(config.network, batch_norm=batch_norm))
    expected = run(config, sample)
    run_and_kill(config, sample, tmp_path, saves)
    assert_same(run(config, sample, tmp_path), expected)


def test_resumes_dropout_bit_for_bit(config, sample, tmp_path):
    config = replace(config, training=replace(config.training, dropout=0.2, quantised_epochs=0))
    expected = run(config, sample)
    run_and_kill(config, sample, tmp_path, 2)
    found = run(config, sample, tmp_path)
    assert found.metrics == expected.metrics
    plain = run(replace(config, training=replace(config.training, dropout=0.0)), sample)
    assert plain.metrics != expected.metrics


def test_a_finished_run_is_not_trained_again(config, sample, tmp_path, monkeypatch):
    expected = run(config, sample, tmp_path)
    monkeypatch.setattr(Phase, "run_epoch", None)
    assert_same(run(config, sample, tmp_path), expected)


def test_without_quantised_epochs_the_model_stays_a_float_one(config, sample, tmp_path):
    short = replace(config, training=replace(config.training, quantised_epochs=0))
    checkpoint = run(short, sample, tmp_path)
    assert checkpoint.description is None
    assert set(checkpoint.metrics["valid"]) == {"float"}
    best = load_checkpoint(tmp_path / "best.pt")
    assert best.description is None
    losses = [row["loss"] for row in load_mapping(tmp_path / "last.pt")["history"]]
    # the best epoch, not the last; its figures were computed in float32 at the time
    assert checkpoint.metrics["valid"]["float"]["loss"] == pytest.approx(min(losses), rel=1e-6)
    with pytest.raises(NetworkError, match="tiny: has no quantised network\n  remedy: train it with"):
        export_qonnx(TrainedModel(best))


def test_multiplicity_scaling_is_trained_down_to_the_tables(config, sample):
    checkpoint = run(replace(config, network=replace(config.network, multiplicity_scaling=True)), sample)
    assert checkpoint.float_state["alpha"].any()
    assert checkpoint.description is not None
    rows = config.network.particles + 1
    for name in ("row_w_r", "row_w_s", "diagonal_w_r", "diagonal_w_s", "k_pair", "k_diagonal"):
        table = checkpoint.description.parameters[name]
        assert table.shape == (rows, config.network.channels)
        assert len(np.unique(table[1:], axis=0)) == rows - 1, name
    assert export_qonnx(TrainedModel(checkpoint)).shapes["logit"] == (1,)


@pytest.mark.parametrize("pair_multipliers", [True, False])
def test_products_of_pairs_are_only_shifted_without_multipliers(config, sample, pair_multipliers, monkeypatch):
    config = replace(config, training=replace(config.training, pair_multipliers=pair_multipliers))
    place, refine, fixed_tensors = seed_training.place_scales, seed_training.refine_scales, []
    for name, move in (("place_scales", place), ("refine_scales", refine)):
        monkeypatch.setattr(seed_training, name, functools.partial(note_fixed, move, fixed_tensors))
    description = run(config, sample).description
    w_d = description.parameters["w_d"]
    assert (np.frexp(np.abs(w_d))[0] == 0.5).all() != pair_multipliers
    assert pair_multipliers or multiplier_free(description)
    assert description.quantisers["w_d"](w_d).all()
    # a scale that saturates a power of two would turn it into another number
    assert fixed_tensors == [set() if pair_multipliers else {"w_d"}] * 2


def note_fixed(move, found, net, sample, fixed):
    found.append(set(fixed))
    move(net, sample, fixed)


def test_the_recipe_of_the_paper_learns(config, sample):
    recipe = TrainingConfig(
        nbar=4,
        batch_size=32,
        initial_values=InitialValues.RANDOM,
        optimiser=Optimiser.ADAMW,
        weight_decay=0.005,
        dropout=0.05,
        float_epochs=40,
        quantised_epochs=0,
        schedule=Schedule.WARM_RESTARTS,
        warmup_epochs=2,
        decay_epochs=4,
    )
    network = replace(config.network, batch_norm=True)
    checkpoint = run(replace(config, network=network, training=recipe), sample)
    assert checkpoint.metrics["valid"]["float"]["auc"] > 0.9


def test_a_kill_while_writing_leaves_the_state_of_the_last_epoch(config, sample, tmp_path, monkeypatch):
    expected = run(config, sample)
    run_and_kill(config, sample, tmp_path, 2)

    def torn(path, data):
        with path.open("wb") as file:
            file.write(data[:1000])
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(pathlib.Path, "write_bytes", torn)
        with pytest.raises(Killed):
            run(config, sample, tmp_path)
    assert load_mapping(tmp_path / "last.pt")["epoch"] == 2
    assert_same(run(config, sample, tmp_path), expected)


def test_state_of_another_training_is_refused(config, sample, tmp_path):
    run(config, sample, tmp_path)
    faster = replace(config, training=replace(config.training, learning_rate=0.1))
    with pytest.raises(NetworkError, match=r"last\.pt: config\.training\.learning_rate is 0\.03, expected 0\.1"):
        run(faster, sample, tmp_path)
    with pytest.raises(NetworkError, match="train is"):
        SeedTraining(config, 1, sample.head(300), sample, folder=RunFolder(tmp_path)).run()
    with pytest.raises(NetworkError, match="valid is"):
        SeedTraining(config, 1, sample, sample.head(300), folder=RunFolder(tmp_path)).run()


def test_scales_are_refined_once_at_the_freeze_and_only_later_epochs_count(config, sample, monkeypatch):
    """Two of four epochs before the freeze, with the lowest losses of all."""
    losses, seen, refined_after = [0.9, 0.1, 0.1, 0.6, 0.5], [], []

    def made_up(net, valid):
        seen.append(replace(quantised_figures(net, valid), loss=losses[len(seen)]))
        return seen[-1]

    monkeypatch.setattr(seed_training, "quantised_figures", made_up)
    monkeypatch.setattr(seed_training, "refine_scales", lambda *_: refined_after.append(len(seen) - 1))
    assert run(config, sample).metrics["valid"]["quantised"]["loss"] == 0.5
    assert len(seen) == len(losses)
    assert refined_after == [2]


def test_the_learning_rate_follows_its_schedule():
    """One step a batch, here two an epoch."""
    model = nn.Linear(1, 1)
    groups = [(parameter, 0.1) for parameter in model.parameters()]
    phase = Phase(
        "float",
        model,
        lambda inputs: model(inputs["x"])[:, 0],
        groups,
        {"x": torch.ones(4, 1)},
        torch.tensor([0.0, 1.0, 0.0, 1.0]),
        epochs=2,
        batch_size=2,
        seed=3,
        factor=lambda epochs: 1 / (1 + epochs),
    )
    assert phase.rate_factor == 1
    phase.run_epoch()
    assert phase.rate_factor == 1 / 2
    phase.run_epoch()
    assert phase.rate_factor == 1 / 3


def test_a_loss_far_above_that_of_guessing_is_divergence():
    weight = nn.Parameter(torch.tensor([5e3]))
    inputs, labels = {"x": torch.ones(4)}, torch.zeros(4)
    phase = Phase(
        "float", nn.Module(), lambda i: weight * i["x"], [(weight, 0.1)], inputs, labels, epochs=1, batch_size=4, seed=1
    )
    with pytest.raises(TrainingError, match="epoch 1, batch 1: the loss is 5000"):
        phase.run_epoch()


def test_the_seed_sets_the_order_of_the_jets(config, sample, monkeypatch):
    given = []

    class Recorded(Phase):
        def __init__(self, name, *arguments, seed, **options):
            given.append((name, seed))
            super().__init__(name, *arguments, seed=seed, **options)

    monkeypatch.setattr(seed_training, "Phase", Recorded)
    SeedTraining(config, 7, sample, sample).run()
    assert given == [("float", 7), ("quantised", 7)]


def test_dropout_differs_from_epoch_to_epoch():
    model, drawn = nn.Linear(1, 1), []

    def logits(inputs):
        drawn.append(torch.rand(4))
        return model(inputs["x"])[:, 0]

    groups = [(parameter, 0.1) for parameter in model.parameters()]
    labels = torch.tensor([0.0, 1.0, 0.0, 1.0])
    for _ in range(2):
        phase = Phase("float", model, logits, groups, {"x": torch.ones(4, 1)}, labels, epochs=2, batch_size=4, seed=3)
        phase.run_epoch()
        phase.run_epoch()
    assert not torch.equal(drawn[0], drawn[1])
    assert torch.equal(torch.stack(drawn[:2]), torch.stack(drawn[2:]))


def test_a_loss_that_is_not_a_number_stops_at_its_batch(config, sample):
    values = {name: value.copy() for name, value in sample.values.items()}
    values["q_plus"][:] = np.nan
    with pytest.raises(TrainingError, match="float training, epoch 1, batch 1: the loss is nan"):
        SeedTraining(config, 1, Sample(values, sample.labels), sample).run()


def test_a_diverging_loss_keeps_the_last_good_state(config, sample, tmp_path):
    path = tmp_path / "last.pt"
    run_and_kill(config, sample, tmp_path, 2)
    state = load_mapping(path)
    for group in state["optimiser"]["param_groups"]:
        group["lr"] = 1e30
    torch.save(state, path)
    before = path.read_bytes()
    with pytest.raises(TrainingError, match=r"float training, epoch 3, batch 2: the loss is .*\n  remedy: lower the"):
        run(config, sample, tmp_path)
    assert path.read_bytes() == before


def test_max_jets_cuts_the_training_sample(config, sample):
    cut = replace(config, training=replace(config.training, max_jets=100))
    expected = SeedTraining(config, 1, sample.head(100), sample).run()
    found = SeedTraining(cut, 1, sample, sample).run()
    assert found.metrics == expected.metrics

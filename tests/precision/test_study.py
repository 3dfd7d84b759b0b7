"""End to end: widths, fine-tuning, table and plot; finished work is not repeated."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml

from nanopelican_hls.cli import main
from nanopelican_hls.config import Config, TrainingConfig, to_mapping
from nanopelican_hls.errors import ConfigError, NetworkError, TrainingError
from nanopelican_hls.jets import read_jets, sample_path, write_jets
from nanopelican_hls.network.checkpoint import load_checkpoint, save_checkpoint
from nanopelican_hls.network.model import TrainedModel
from nanopelican_hls.precision.cost import HeldBits
from nanopelican_hls.precision.methods import METHODS, Assigner
from nanopelican_hls.precision.widths import own_widths
from nanopelican_hls.studies import precision
from nanopelican_hls.studies.files import JetFiles
from nanopelican_hls.studies.measurement import Measurement
from nanopelican_hls.studies.precision import run_precision
from nanopelican_hls.topology.config import NetworkConfig, QuantiserConfig, QuantisersConfig
from nanopelican_hls.training.run_folder import RunFolder
from nanopelican_hls.training.seed_training import SeedTraining

BUDGETS = (0.94,)
FEW = {"train": 300, "valid": 100, "test": 100}


@pytest.fixture(scope="module")
def jets(tmp_path_factory):
    path = tmp_path_factory.mktemp("jets") / "all.h5"
    write_jets(path, read_jets(sample_path(), events=500), {})
    return path


@pytest.fixture(scope="module")
def model(jets):
    """Trained briefly, as small as a network can be."""
    torch.set_num_threads(1)
    keys = ("momenta", "logit", "weights", "biases", "d", "r", "s", "mix", "relu", "diagonal", "sums")
    config = Config(
        "tiny",
        NetworkConfig(3, 1),
        QuantisersConfig(**dict.fromkeys(keys, QuantiserConfig(6))),
        TrainingConfig(batch_size=64, float_epochs=2, quantised_epochs=1),
    )
    train, valid = (JetFiles.find(jets).sample(name, config.network) for name in ("train", "valid"))
    return TrainedModel(SeedTraining(config, 1, train, valid).run())


def run(model, jets, output, **changes):
    settings = {"budgets": BUDGETS, "cost": "bits", "epochs": 1, "seeds": (1, 2), "jobs": 1, "at_most": FEW}
    return run_precision(model, jets, output, **(settings | changes))


@pytest.fixture(scope="module")
def first(model, jets, tmp_path_factory):
    """The folder of a finished study."""
    output = tmp_path_factory.mktemp("study")
    run(model, jets, output)
    return output


@pytest.fixture
def output(first, tmp_path):
    """A copy of it."""
    shutil.copytree(first, tmp_path / "study")
    return tmp_path / "study"


class TestStudy:
    def test_page_numbers_and_picture(self, model, output):
        content = json.loads((output / "precision.json").read_text())
        page = (output / "precision.md").read_text()
        assert [r["method"] for r in content["results"]] == ["model", *(m for m in list(METHODS)[1:] for _ in BUDGETS)]
        cost, own = HeldBits(model.description), own_widths(model.config)
        for result in content["results"]:
            assert result["cost"] == cost(result["widths"]) / cost(own) <= result["budget"]
            assert all(result["widths"][name] <= bits for name, bits in own.items())
            assert set(result["seeds"]) == {"1", "2"}
            assert f"| {result['method']} | {result['budget']:g} | {result['cost']:.3f} |" in page
        assert content["results"][0]["measured"] == content["results"][0]["predicted"] == 0
        assert page.count("the lowest test loss is that of") == len(BUDGETS)
        assert (output / "precision.png").read_bytes().startswith(b"\x89PNG")

    def test_fine_tuned_networks_have_the_chosen_widths(self, output):
        for result in json.loads((output / "precision.json").read_text())["results"]:
            name = f"{result['method']}-{result['budget']:g}"
            found = load_checkpoint(output / "runs" / name / "seed2" / "best.pt")
            assert {n: found.description.quantisers[n].bits for n in result["widths"]} == result["widths"]
            assert own_widths(found.config) == result["widths"]

    def test_goes_on_where_it_was(self, model, jets, output, monkeypatch):
        page = (output / "precision.md").read_text()
        (output / "runs" / "greedy-0.94" / "seed1" / "result.json").unlink()
        content = json.loads((output / "assignments.json").read_text())
        content["assignments"] = [a for a in content["assignments"] if a["method"] != "uniform"]
        (output / "assignments.json").write_text(json.dumps(content))
        asked, trained = [], []
        assignments, train = Assigner.assignments, precision.FineTuning.train
        monkeypatch.setattr(Assigner, "assignments", lambda *a: asked.append(a[1:]) or assignments(*a))
        monkeypatch.setattr(
            precision.FineTuning, "train", lambda s, *a, **k: trained.append(s.name) or train(s, *a, **k)
        )
        assert run(model, jets, output).text == page
        assert asked == [("uniform", sorted(BUDGETS, reverse=True))]
        assert trained == ["greedy-0.94"]

    def test_a_choice_without_one_of_its_seeds_is_not_compared(self, model, jets, output, monkeypatch):
        run_tasks = precision.run_tasks
        monkeypatch.setattr(precision, "run_tasks", lambda *a, **k: run_tasks(*a, **k)[:-1])
        with pytest.raises(TrainingError, match=r"uniform-0.94: a seed diverged"):
            run(model, jets, output)

    def test_results_of_others_are_refused(self, model, jets, output):
        with pytest.raises(NetworkError, match=r"assignments.json: cost is 'bits', expected 'adders'"):
            run(model, jets, output, cost="adders")
        description = model.description
        moved = description.parameters["w_d"] * 1.5
        other = replace(description, parameters={**description.parameters, "w_d": moved})
        with pytest.raises(NetworkError, match=r"assignments.json: model is \d+, expected \d+"):
            run(TrainedModel(replace(model.checkpoint, description=other)), jets, output)
        with pytest.raises(NetworkError, match=r"training.quantised_epochs is 1, expected 2"):
            run(model, jets, output, epochs=2)


def test_methods_keep_to_a_budget_of_adders(model, jets):
    sample = JetFiles.find(jets).sample("train", model.config.network).head(100)
    assigner = Assigner(model, sample, "adders")
    (found,) = assigner.assignments("hessian", [0.85])
    assert 0.6 < found.cost <= 0.85


def test_less_than_the_narrowest_is_refused(model, jets):
    assigner = Assigner(model, JetFiles.find(jets).sample("train", model.config.network).head(100), "bits")
    with pytest.raises(ConfigError, match="less than the cost of the narrowest widths"):
        list(assigner.assignments("uniform", [0.01]))


def test_differences_are_taken_jet_by_jet():
    losses = np.random.default_rng(0).exponential(1.0, (2, 1000))
    one, other = (Measurement(None, [], losses + shift) for shift in (0.25, 0.0))
    above, error = one.above(other)
    assert above == pytest.approx(0.25)
    assert error < 1e-12
    by_seed = Measurement(None, [], losses + np.array([[0.1], [0.3]]))
    assert by_seed.above(other) == pytest.approx((0.2, 0.1))


class TestFineTuning:
    def test_starts_from_the_model(self, model, jets):
        """With a negligible learning rate the weights stay; only scales may move."""
        config = model.config
        still = replace(config.training, quantised_learning_rate=1e-15, freeze_scales_fraction=1.0)
        train = JetFiles.find(jets).sample("train", config.network)
        found = SeedTraining(replace(config, training=still), 5, train, train, base=model.checkpoint).run()
        for name, value in model.description.parameters.items():
            np.testing.assert_allclose(found.description.parameters[name], value, rtol=1e-6)
        for name, value in model.checkpoint.float_state.items():
            np.testing.assert_array_equal(found.float_state[name], value)

    def test_a_run_of_another_base_is_refused(self, model, jets, tmp_path):
        train = JetFiles.find(jets).sample("train", model.config.network)
        folder = RunFolder(tmp_path / "run")
        SeedTraining(model.config, 1, train, train, folder=folder, base=model.checkpoint).run()
        description = replace(
            model.description,
            quantisers={**model.description.quantisers, "d": replace(model.description.quantisers["d"], bits=7)},
        )
        other = replace(model.checkpoint, description=description)
        with pytest.raises(NetworkError, match=r"base is \d+, expected \d+"):
            SeedTraining(model.config, 1, train, train, folder=folder, base=other).run()
        with pytest.raises(NetworkError, match="base is "):
            SeedTraining(model.config, 1, train, train, folder=folder).run()


class TestCommand:
    def test_from_the_command_line(self, model, jets, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr(precision, "METHODS", {"model": METHODS["model"], "uniform": METHODS["uniform"]})
        (tmp_path / "tiny.yaml").write_text(
            yaml.safe_dump({k: v for k, v in to_mapping(model.config).items() if k != "name"})
        )
        save_checkpoint(model.checkpoint, tmp_path / "tiny.pt")
        command = ["precision", str(tmp_path / "tiny.yaml"), str(tmp_path / "tiny.pt"), "--jets", str(jets)]
        options = ["--budget", "0.9", "--epochs", "1", "--seeds", "1", "--output", str(tmp_path / "found")]
        monkeypatch.setattr("nanopelican_hls.cli.progress.LINE_EVERY_S", 0)
        assert main([*command, *options]) == 0
        said = capsys.readouterr()
        assert "Budget 0.9: the lowest test loss is that of" in said.out
        assert "precision.md" in said.out
        assert "fine-tuning: 100%" in said.err
        assert main([*command, *options, "--quiet", "--json"]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        written = json.loads((tmp_path / "found" / "precision.json").read_text())
        assert json.loads(said.out) == {"precision": written}

    @pytest.mark.parametrize("budget", ["0", "1", "1.2", "much"])
    def test_a_budget_is_a_fraction(self, budget, capsys):
        assert main(["precision", "c.yaml", "m.pt", "--jets", "x", "--budget", budget]) == 2
        assert f"must be above 0 and below 1, not '{budget}'" in capsys.readouterr().err

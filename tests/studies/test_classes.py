"""``nanopelican study classes``: a tagger of several classes beside Deep Sets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_networks import random_description

from nanopelican_hls.cli import main
from nanopelican_hls.config import load_config
from nanopelican_hls.evaluation.figures import quantised_figures
from nanopelican_hls.jets import read_jets, write_jets
from nanopelican_hls.jets.two_samples import mass_gev
from nanopelican_hls.network.checkpoint import Checkpoint, save_checkpoint
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.model import load_model
from nanopelican_hls.studies import classes, tasks
from nanopelican_hls.studies.classes import Row, _verdict
from nanopelican_hls.studies.files import JetFiles

ROOT = Path(__file__).parents[2]
CLASSES = ("g", "W", "t")


@pytest.fixture
def three(jets_file, tmp_path, monkeypatch):
    """A folder with jets of three classes, thirds in their mass, and an untrained tagger; two short trainings."""
    jets = read_jets(jets_file)
    mass = mass_gev(jets)
    labels = np.searchsorted(np.quantile(mass, [1 / 3, 2 / 3]), mass)
    write_jets(tmp_path / "three.h5", replace(jets, labels=labels, classes=CLASSES), {})
    config = load_config(ROOT / "configs" / "trigger-n16-5c.yaml")
    config = replace(config, name="three", network=replace(config.network, n_constituents=4, classes=CLASSES))
    state = FloatNetwork(config.network, nbar=config.training.nbar, seed=1).state_dict()
    save_checkpoint(Checkpoint(config, 1, state, random_description(config.network, seed=11)), tmp_path / "three.pt")
    monkeypatch.setattr(classes, "EPOCHS", 2)
    monkeypatch.setattr(classes, "SEEDS", (1, 2))
    return tmp_path


def run(folder, model) -> int:
    options = ["--jets", str(folder / "three.h5"), "--model", str(model), "--output", str(folder), "--jobs", "1"]
    return main(["study", "classes", *options])


def test_the_table(three, capsys, monkeypatch):
    assert run(three, three / "three.pt") == 0
    page, content = (three / "classes.md").read_text(), json.loads((three / "classes.json").read_text())
    assert page in capsys.readouterr().out
    assert "360 training jets, 120 validation jets, 120 test jets. Both taggers see the 4 leading" in page
    assert "2 epochs, best of 2 seeds" in page
    assert [row["title"] for row in content["rows"]] == ["three, float", "three, quantised", "Deep Sets"]
    for row in content["rows"]:
        for name in CLASSES:
            found = row["figures"]["classes"][name]
            assert f"{found['auc']:.4f} ± {found['auc_error']:.4f}" in page
    # the figures are those of the model on the test jets, and of the seed with the lowest validation loss
    model = load_model(three / "three.pt")
    test = JetFiles.find(three / "three.h5").sample("test", model.config.network)
    assert content["rows"][1]["figures"] == quantised_figures(model.quantised_network, test).as_dict()
    best = min(content["seeds"], key=lambda seed: content["seeds"][seed]["valid"]["float"]["loss"])
    assert content["chosen"] == int(best)
    assert content["rows"][2]["figures"] == content["seeds"][best]["test"]["float"]
    for name in CLASSES:
        assert (three / "runs" / "deep-sets" / "seed1" / f"roc-{name}.csv").exists()
    # what is finished is not trained again
    monkeypatch.setattr(tasks, "train_baseline", None)
    assert run(three, three / "three.pt") == 0
    assert (three / "classes.md").read_text() == page


def test_one_logit_is_refused(three, capsys):
    assert run(three, ROOT / "models" / "trigger-n6.pt") == 2
    assert "trigger-n6: has one logit, but several classes are compared" in capsys.readouterr().err


def test_other_classes_are_refused(three, capsys):
    assert run(three, ROOT / "models" / "trigger-n16-5c.pt") == 2
    assert "has no class" in capsys.readouterr().err


def test_the_winner_is_named():
    ours, other = (
        Row(
            title,
            1,
            {"classes": {name: {"auc": auc, "auc_error": 0.003} for name, auc in zip("gWt", aucs, strict=True)}},
        )
        for title, aucs in (("ours", (0.90, 0.90, 0.950)), ("theirs", (0.89, 0.92, 0.951)))
    )
    assert _verdict(ours, other, list("gWt")) == (
        "In AUC: ours is above: g; theirs is above: W; theirs is above, but within errors: t."
    )

"""``nanopelican paper``: both tables from one command."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from nanopelican_hls.cli import main
from nanopelican_hls.config import Schedule
from nanopelican_hls.studies import paper
from nanopelican_hls.studies.paper import QUICK, Scale

TINY = Scale(
    {"train": 300, "valid": 100, "test": 100},
    seeds=2,
    keep=1,
    recipe={"float_epochs": 2, "batch_size": 100, "schedule": Schedule.COSINE, "warmup_epochs": 0, "decay_epochs": 0},
    baseline_epochs=1,
    baseline_seeds=1,
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Two channels instead of ten, and a training run of two epochs."""
    monkeypatch.setattr(paper, "QUICK", TINY)
    monkeypatch.setattr(paper, "CHANNELS", (2, 1))


def run(jets, output) -> int:
    return main(["paper", "--jets", str(jets), "--quick", "--output", str(output), "--jobs", "1"])


def test_both_tables(jets_file, tmp_path, capsys):
    assert run(jets_file, tmp_path) == 0
    printed = capsys.readouterr().out
    page, content = (tmp_path / "tables.md").read_text(), json.loads((tmp_path / "tables.json").read_text())
    assert page in printed
    assert "no dropout): 300 training jets, 100 validation jets, 100 test jets" in page
    assert "2 epochs, best 1 of 2 seeds" in page
    names = {"npelican-c2", "npelican-c1", "npelican-n-c2", "npelican-n-c1", *paper.OTHERS}
    assert set(content["rows"]) == names
    assert {name: content["rows"][name]["parameters"] for name in sorted(names) if "npelican" in name} == {
        "npelican-c1": 11,
        "npelican-c2": 21,
        "npelican-n-c1": 18,
        "npelican-n-c2": 28,
    }
    for row in content["rows"].values():
        auc = row["figures"]["auc"]
        assert f"{auc['mean']:.4f}" in page
        assert auc["statistical"] > 0
    # the best seed by validation loss
    runs = [tmp_path / "runs" / "npelican-c2" / f"seed{seed}" for seed in (1, 2)]
    figures = [json.loads((run / "result.json").read_text())["figures"] for run in runs]
    best = min(figures, key=lambda f: f["valid"]["float"]["loss"])
    assert content["rows"]["npelican-c2"]["figures"]["auc"]["mean"] == best["test"]["float"]["auc"]
    for run_folder in runs:
        assert (run_folder / "roc.csv").read_text().count("\n") > 10
    assert {claim["holds"] for claim in content["claims"]} <= {"yes", "no", "within errors"}
    assert len(content["claims"]) == 4


def test_what_is_finished_is_not_trained_again(jets_file, tmp_path, monkeypatch):
    assert run(jets_file, tmp_path) == 0
    before = (tmp_path / "tables.json").read_bytes()

    def train(_):
        raise AssertionError("trained again")

    monkeypatch.setattr("nanopelican_hls.training.seed_training.SeedTraining.run", train)
    assert run(jets_file, tmp_path) == 0
    assert (tmp_path / "tables.json").read_bytes() == before


def test_results_of_other_jets_are_refused(jets_file, tmp_path, monkeypatch, capsys):
    assert run(jets_file, tmp_path) == 0
    monkeypatch.setattr(paper, "QUICK", replace(TINY, at_most={"train": 320, "valid": 100, "test": 100}))
    assert run(jets_file, tmp_path) == 2
    assert "jets.train.at_most is 300, expected 320" in capsys.readouterr().err


def test_they_are_refused_before_anything_is_trained(jets_file, tmp_path, monkeypatch):
    assert run(jets_file, tmp_path) == 0
    longest = tmp_path / "runs" / "npelican-c2" / "seed1"
    shutil.rmtree(longest)
    monkeypatch.setattr(paper, "QUICK", replace(TINY, baseline_epochs=2))
    assert run(jets_file, tmp_path) == 2
    assert not longest.exists()


def test_full_recipe_is_that_of_the_paper():
    tasks = paper._tasks(paper.FULL)
    networks = [task.config for task in tasks if isinstance(task, paper.NetworkTask)]
    assert len(networks) == 25 * 2 * 2
    recipe = networks[0].training
    assert (recipe.float_epochs, recipe.warmup_epochs, recipe.decay_epochs) == (140, 4, 12)
    assert (recipe.batch_size, recipe.nbar, recipe.quantised_epochs) == (512, 49, 0)
    assert networks[0].network.n_constituents == 80
    assert QUICK.seeds < paper.FULL.seeds

"""``nanopelican train``, from input files to output files."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import onnx
import pytest

from nanopelican_hls.cli import main
from nanopelican_hls.config import load_config
from nanopelican_hls.evaluation.figure_text import with_error
from nanopelican_hls.evaluation.figures import quantised_figures
from nanopelican_hls.files import LOCK
from nanopelican_hls.jets import read_jets, sample_path, write_jets
from nanopelican_hls.network.checkpoint import load_checkpoint
from nanopelican_hls.network.model import load_model
from nanopelican_hls.training import seeds
from nanopelican_hls.training.card_page import zoo_table

CONFIG = """
network: {n_constituents: 4, channels: 2, spurions: jet}
quantisers:
  momenta: {bits: 8}
  jet_momenta: {bits: 10}
  d: {bits: 8}
  d_jet: {bits: 8}
  d_jj: {bits: 8}
  r: {bits: 8}
  s: {bits: 8}
  mix: {bits: 8}
  relu: {bits: 8}
  diagonal: {bits: 8}
  sums: {bits: 12}
  weights: {bits: 8}
  biases: {bits: 10}
  logit: {bits: 12}
training: {float_epochs: 2, quantised_epochs: 2, batch_size: 100}
"""


@pytest.fixture
def files(tmp_path):
    """A configuration and jets of both classes."""
    (tmp_path / "tiny.yaml").write_text(CONFIG)
    jets = read_jets(sample_path(), events=600)
    write_jets(tmp_path / "jets.h5", jets, {})
    return tmp_path


def command(files, *more: str) -> list[str]:
    jets = str(files / "jets.h5")
    start = ["train", str(files / "tiny.yaml"), "--train", jets, "--valid", jets, "--output", str(files / "models")]
    return [*start, "--runs", str(files / "runs"), *more]


def check_runs(runs, content):
    """Each seed has a folder with all files of a run."""
    assert sorted(p.name for p in runs.iterdir()) == ["manifest.json", "seed3", "seed4"]
    folders = sorted(runs.glob("seed*"))
    names = [LOCK, "best.pt", "config.yaml", "curves.png", "last.pt", "metrics.csv", "run.json"]
    for run, entry in zip(folders, content["seeds"], strict=True):
        assert sorted(p.name for p in run.iterdir()) == names
        assert json.loads((run / "run.json").read_text())["seed"] == entry["seed"]
        with (run / "metrics.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert [(row["phase"], row["epoch"]) for row in rows] == [(p, e) for p in ("float", "quantised") for e in "12"]
        assert min(float(row["loss"]) for row in rows[:2]) == pytest.approx(entry["float"]["loss"], rel=1e-6)
        assert load_checkpoint(run / "best.pt").metrics["valid"]["quantised"] == entry["quantised"]
        resolved = replace(load_config(run / "config.yaml"), name="tiny")
        assert resolved == load_checkpoint(run / "best.pt").config
        assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_writes_model_card_and_graph(files, capsys, monkeypatch):
    monkeypatch.setattr("nanopelican_hls.cli.progress.LINE_EVERY_S", 0)
    assert main(command(files, "--test", str(files / "jets.h5"), "--seeds", "3", "4", "--jobs", "2")) == 0
    said = capsys.readouterr()
    assert "tiny quantised: AUC" in said.out
    assert "tiny: 100%, 8 of 8 epochs" in said.err  # of both workers
    output = files / "models"
    assert sorted(p.name for p in output.iterdir()) == ["tiny.json", "tiny.md", "tiny.onnx", "tiny.pt"]
    content = json.loads((output / "tiny.json").read_text())
    model = load_model(output / "tiny.pt")
    assert content["seed"] == model.checkpoint.seed
    assert [entry["seed"] for entry in content["seeds"]] == [3, 4]
    best = min(content["seeds"], key=lambda entry: entry["quantised"]["loss"])
    assert best["seed"] == content["seed"]
    sample = seeds.read_sample(files / "jets.h5", model.config.network)
    expected = quantised_figures(model.quantised_network, sample).as_dict()
    assert content["figures"]["test"]["quantised"] == expected
    assert content["command"].endswith(
        "tiny.yaml --train jets.h5 --valid jets.h5 --test jets.h5 --output models --seeds 3 4"
    )
    assert str(files) not in (output / "tiny.json").read_text() + (output / "tiny.md").read_text()
    onnx.load(output / "tiny.onnx")
    check_runs(files / "runs" / "tiny", content)
    check_table(zoo_table([content]), content)


def test_rerun_trains_again_and_gets_the_same(files, capsys, monkeypatch):
    monkeypatch.setattr("nanopelican_hls.cli.progress.LINE_EVERY_S", 0)
    assert main(command(files, "--seeds", "3", "-q")) == 0
    assert capsys.readouterr().err == ""
    assert main(["rerun", str(files / "runs" / "tiny")]) == 0
    assert "train: equal, 2 files" in capsys.readouterr().out


def check_table(table: str, content) -> None:
    head, _, row = (line.strip("| ").split(" | ") for line in table.splitlines())
    cells = dict(zip(head, row, strict=False))
    assert cells["model"] == "tiny"
    assert cells["N"] == "4"
    assert cells["AUC float"] == with_error(content["figures"]["test"]["float"], "auc")
    assert " ± " in cells["AUC float"]
    assert row[-1] == str(content["seed"])


def test_what_the_contract_cannot_hold_is_refused_before_fine_tuning(files, capsys, monkeypatch):
    monkeypatch.setattr("nanopelican_hls.cli.progress.LINE_EVERY_S", 0)
    wide = CONFIG.replace("  mix: {bits: 8}\n  relu: {bits: 8}\n", "").replace("bits: 8", "bits: 22")
    (files / "tiny.yaml").write_text(wide)
    assert main(command(files, "--seeds", "3")) == 2
    error = capsys.readouterr().err
    assert "50%, 2 of 4 epochs" in error and "75%" not in error  # of two float and two quantised epochs
    assert "100%" not in error
    assert "bits, more than the 53 that float64 can hold" in error


def test_one_class_is_not_enough(files, capsys):
    jets = read_jets(files / "jets.h5")
    write_jets(files / "jets.h5", replace(jets, labels=np.ones(len(jets), dtype=np.int8)), {}, force=True)
    assert main(command(files)) == 2
    assert "jets.h5: holds no background jets" in capsys.readouterr().err


def test_more_than_two_classes_are_refused(files, capsys):
    jets = read_jets(files / "jets.h5")
    write_jets(files / "jets.h5", replace(jets, classes=("g", "W", "t")), {}, force=True)
    assert main(command(files)) == 2
    assert "jets.h5: has 3 classes (g, W, t), but signal and background are needed" in capsys.readouterr().err


def test_a_seed_that_diverges_is_left_out_and_all_are_an_error(files, capsys, caplog):
    config = files / "tiny.yaml"
    config.write_text(CONFIG.replace("batch_size: 100", "batch_size: 100, learning_rate: 1.0e+30"))
    assert main(command(files, "--seeds", "1")) == 2
    assert "tiny: every seed diverges" in capsys.readouterr().err
    assert "tiny seed 1 is left out: float training, epoch 1, batch 2: the loss is" in caplog.text

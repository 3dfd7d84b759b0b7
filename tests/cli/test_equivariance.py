"""`nanopelican equivariance`: the check, the table, the picture, and errors."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nanopelican_hls.analysis import equivariance
from nanopelican_hls.cli import main
from nanopelican_hls.jets import read_jets, sample_path, write_jets
from nanopelican_hls.network.checkpoint import load_checkpoint, save_checkpoint

ROOT = Path(__file__).parents[2]
MODEL = str(ROOT / "models" / "trigger-n6.pt")


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("jets") / "few.h5"
    write_jets(path, read_jets(sample_path(), 120), {})
    return str(path)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_table_and_picture(few, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    arguments = ["--jets", few, "--betas", "0", "0.9", "--widths", "8", "--output", str(tmp_path / "new")]
    assert main(["equivariance", MODEL, *arguments]) == 0
    out = capsys.readouterr().out
    assert "trigger-n6, float: largest change of a logit " in out
    assert "60 jets, |beta| up to 0.9: invariant" in out
    found = rows(tmp_path / "new" / "equivariance-trigger-n6.csv")
    assert [(r["network"], r["kind"], float(r["beta"])) for r in found] == [
        *[("trained", kind, beta) for kind in ("beam", "transverse", "any") for beta in (0.0, 0.9)],
        *[("requantised", kind, 0.5) for kind in ("beam", "transverse", "any")],
    ]
    assert float(found[0]["largest"]) == 0
    assert float(found[3]["mean"]) > 0.1
    assert f"{float(found[3]['mean']):.3f}" in out
    assert (tmp_path / "new" / "equivariance-trigger-n6.png").read_bytes().startswith(b"\x89PNG")


def test_a_configuration_stands_for_its_model(few, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    config = str(ROOT / "configs" / "trigger-n6.yaml")
    arguments = ["--models", str(ROOT / "models"), "--jets", few, "--betas", "0.5", "--widths", "--output"]
    assert main(["equivariance", config, *arguments, str(tmp_path)]) == 0
    assert {row["network"] for row in rows(tmp_path / "equivariance-trigger-n6.csv")} == {"trained"}
    first = (tmp_path / "equivariance-trigger-n6.csv").read_bytes()
    assert main(["equivariance", config, *arguments, str(tmp_path)]) == 0
    assert (tmp_path / "equivariance-trigger-n6.csv").read_bytes() == first
    capsys.readouterr()


def test_a_float_model_is_checked_alone(few, tmp_path, capsys):
    save_checkpoint(replace(load_checkpoint(MODEL), description=None), tmp_path / "float.pt")
    arguments = ["--jets", few, "--betas", "0.5", "--output", str(tmp_path)]
    assert main(["equivariance", str(tmp_path / "float.pt"), *arguments]) == 0
    assert "has no quantised network" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [tmp_path / "float.pt"]


def test_a_network_that_is_not_invariant_ends_with_status_1(few, tmp_path, monkeypatch, capsys):
    save_checkpoint(replace(load_checkpoint(MODEL), description=None), tmp_path / "float.pt")
    good = equivariance.boosts
    monkeypatch.setattr(equivariance, "boosts", lambda *args: np.diag([1.01, 1, 1, 1]) @ good(*args))
    assert main(["equivariance", str(tmp_path / "float.pt"), "--jets", few, "--betas", "0.5"]) == 1
    assert "NOT INVARIANT" in capsys.readouterr().out


def test_jets_of_one_class_are_refused(tmp_path, capsys):
    jets = read_jets(sample_path(), 60)
    write_jets(tmp_path / "tops.h5", jets[jets.labels == 1], {})
    assert main(["equivariance", MODEL, "--jets", str(tmp_path / "tops.h5")]) == 2
    assert "tops.h5: has no" in capsys.readouterr().err


def test_more_than_two_classes_are_refused(tmp_path, capsys):
    write_jets(tmp_path / "three.h5", replace(read_jets(sample_path(), 60), classes=("g", "W", "t")), {})
    assert main(["equivariance", MODEL, "--jets", str(tmp_path / "three.h5")]) == 2
    assert "three.h5: has 3 classes (g, W, t), but signal" in capsys.readouterr().err


@pytest.mark.parametrize("beta", ["1", "-0.1", "nan"])
def test_velocities_are_below_that_of_light(beta, capsys):
    assert main(["equivariance", MODEL, "--betas", beta]) == 2
    assert "below 1, the speed of light" in capsys.readouterr().err

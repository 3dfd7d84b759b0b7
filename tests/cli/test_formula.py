"""`nanopelican formula`: the printed formula is the network, and errors name the cause."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from analysis.test_formula import evaluated, jet_products

from nanopelican_hls.cli import main
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.network.checkpoint import load_checkpoint, save_checkpoint
from nanopelican_hls.network.model import load_model

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture
def seeds(tmp_path) -> list[Path]:
    """Three checkpoints of one architecture that differ only in b0 and in the order of their channels."""
    original = load_checkpoint(MODELS / "paper-n16-c2.pt")
    paths = []
    for seed, shift in enumerate((0.0, 1.0, 5.0)):
        order = [1, 0] if seed else [0, 1]
        state = {name: v[order] if v.shape == (2,) else v.clone() for name, v in original.float_state.items()}
        state["b0"] = original.float_state["b0"] + shift
        paths.append(tmp_path / f"seed{seed}" / "best.pt")
        save_checkpoint(replace(original, seed=seed, float_state=state), paths[-1])
    return paths


@pytest.mark.parametrize(
    "path",
    [
        "models/paper-n16-c2.pt",
        "models/trigger-n8.pt",
        "benchmarks/forms/form-c-n32.pt",
        "models/trigger-n16-plain.pt",
    ],
)
def test_the_printed_formula_is_the_network_on_real_jets(path, capsys):
    assert main(["formula", str(MODELS.parent / path), "--digits", "17"]) == 0
    printed = re.search(r"^w = .*", capsys.readouterr().out, re.DOTALL | re.MULTILINE)[0]
    model = load_model(MODELS.parent / path)
    network = model.config.network
    ports = port_values(read_jets(sample_path(), 4), network)
    logits = model.float_logits(ports)
    for k, expected in enumerate(logits):
        jet = {port: value[k] for port, value in ports.items()}
        n_jet = int(jet["n_jet"][0]) if "n_jet" in jet else None
        assert evaluated(printed, jet_products(network, jet), n_jet) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert len(set(logits)) == 4


def test_counts(capsys):
    assert main(["formula", str(MODELS / "paper-n16-c2.pt")]) == 0
    out = capsys.readouterr().out
    assert "parameters: 21 nominal, 19 effective as the paper counts, 17 independent" in out
    assert "all seeds" not in out


def test_the_page_shows_what_the_command_prints(capsys):
    assert main(["formula", str(MODELS / "paper-n16-c1.pt")]) == 0
    assert capsys.readouterr().out in (MODELS.parent / "docs" / "formula.md").read_text(encoding="utf-8")


def test_spread_over_seeds(seeds, capsys):
    assert main(["formula", *map(str, seeds)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("paper-n16-c2, seeds 0, 1, 2; the formula is that of the first")
    b0 = load_checkpoint(seeds[0]).float_state["b0"].item()
    mean, deviation = f"{b0 + 2:.4g}", f"{np.std([0, 1, 5], ddof=1):.4g}"
    (line,) = re.findall(r"^b0 .*$", out, re.MULTILINE)
    assert line.split()[-3:] == [mean, "+-", deviation]
    for name in ("c2", "b", "k0"):
        for line in re.findall(rf"^{name} .*$", out, re.MULTILINE):
            assert float(line.split()[-1]) < 1e-12


def test_a_folder_stands_for_its_runs(seeds, capsys):
    folder = seeds[0].parents[1]
    assert main(["formula", str(folder)]) == 0
    of_folder = capsys.readouterr().out
    assert main(["formula", *map(str, seeds)]) == 0
    assert capsys.readouterr().out == of_folder
    assert main(["formula", str(seeds[1].parent)]) == 0
    assert capsys.readouterr().out.startswith("paper-n16-c2, seed 1\n")


def test_latex(seeds, capsys):
    assert main(["formula", *map(str, seeds), "--latex"]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("\\begin")] == [
        "\\begin{align*}",
        "\\begin{tabular}{lllllll}",
    ]
    assert out.count("{") == out.count("}")
    assert r"$b_\mathrm{diag}$ & 2 &" in out
    assert r" \pm " in out
    assert "GeV^" not in "".join(line for line in out.splitlines() if not line.startswith("%"))


def test_another_architecture_is_refused_with_the_field(capsys):
    assert main(["formula", str(MODELS / "trigger-n8.pt"), str(MODELS / "trigger-n16.pt")]) == 2
    error = capsys.readouterr().err
    assert "trigger-n16.pt: network.n_constituents is 16, expected 8" in error


def test_another_nbar_is_refused_too(seeds, tmp_path, capsys):
    checkpoint = load_checkpoint(seeds[0])
    config = replace(checkpoint.config, training=replace(checkpoint.config.training, nbar=49))
    save_checkpoint(replace(checkpoint, config=config), tmp_path / "other.pt")
    assert main(["formula", str(seeds[0]), str(tmp_path / "other.pt")]) == 2
    assert "training.nbar is 49, expected 64" in capsys.readouterr().err


@pytest.mark.parametrize("digits", ["0", "18", "four"])
def test_digits_are_1_to_17(digits, capsys):
    assert main(["formula", str(MODELS / "trigger-n8.pt"), "--digits", digits]) == 2
    assert "must be 1 to 17" in capsys.readouterr().err


def test_a_folder_without_runs_is_refused(tmp_path, capsys):
    assert main(["formula", str(tmp_path)]) == 2
    assert "has no finished run" in capsys.readouterr().err


def test_what_is_no_checkpoint_is_refused(tmp_path, capsys):
    torch.save([1], tmp_path / "list.pt")
    assert main(["formula", str(tmp_path / "list.pt")]) == 2
    assert "does not hold a mapping" in capsys.readouterr().err

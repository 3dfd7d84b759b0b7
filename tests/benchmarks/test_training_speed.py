"""``nanopelican bench-training``."""

from __future__ import annotations

import json

import pytest

from nanopelican_hls.cli import main


def test_figures(tmp_path, capsys):
    assert main(["bench-training", "--batch", "8", "--output", str(tmp_path)]) == 0
    page, content = (tmp_path / "training.md").read_text(), json.loads((tmp_path / "training.json").read_text())
    assert capsys.readouterr().out == page
    assert (content["batch"], content["n_constituents"], content["channels"]) == (8, 80, 2)
    full, all_cores = content["others"]
    assert content["threads"] == full["threads"] == 1
    assert all_cores["multiplicity"] == "usual"
    for figures in (content, full, all_cores):
        for phase in ("train", "eval"):
            ratio = figures[f"straightforward_{phase}_ms"] / figures[f"{phase}_ms"]
            assert figures[f"ratio_{phase}"] == pytest.approx(ratio)
        assert 0.1 < figures["peak_memory_gb"] < 2
    assert content["mean_multiplicity"] < full["mean_multiplicity"] == 80

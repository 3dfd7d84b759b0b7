"""Which of several seeds is the best."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nanopelican_hls.errors import NetworkError, TrainingError
from nanopelican_hls.jets import sample_path
from nanopelican_hls.network.checkpoint import Checkpoint
from nanopelican_hls.training import seeds
from nanopelican_hls.training.run_folder import RunFolder


def test_the_quantised_network_decides_where_there_is_one():
    assert seeds.deciding_loss({"float": {"loss": 0.2}, "quantised": {"loss": 0.3}}) == 0.3
    assert seeds.deciding_loss({"float": {"loss": 0.2}}) == 0.2


def test_the_lowest_loss_comes_first_and_what_diverges_is_left_out(config, tmp_path, monkeypatch, caplog):
    """By the quantised network, although float networks rank the other way round; seeds end in any order."""
    losses = {0: (0.1, 0.5), 1: (0.4, 0.3), 3: (0.2, 0.4)}
    trained = {
        place: Checkpoint(config, 10 + place, {}, None, {"valid": {"float": {"loss": a}, "quantised": {"loss": b}}})
        for place, (a, b) in losses.items()
    }
    results = [(3, trained[3]), (2, TrainingError("the loss is nan")), (0, trained[0]), (1, trained[1])]
    monkeypatch.setattr(seeds, "side_by_side", lambda *_: iter(results))

    def train(numbers):
        return seeds.train_seeds(
            config, Path("train"), Path("valid"), seeds=numbers, jobs=2, runs=tmp_path, progress=False
        )

    assert [checkpoint.seed for checkpoint in train([10, 11, 12, 13])] == [11, 13, 10]
    assert "tiny seed 12 is left out: the loss is nan" in caplog.text
    results[:] = results[1:2]
    with pytest.raises(TrainingError, match="every seed diverges"):
        train([10, 11, 12, 13])


def test_one_run_at_a_time(config, tmp_path):
    with (
        RunFolder(tmp_path / "seed1").held("--runs"),
        pytest.raises(NetworkError, match=rf"seed1: is in use by another run \(process {os.getpid()}\)\n.*--runs"),
    ):
        seeds.train_seeds(config, sample_path(), sample_path(), seeds=[1], jobs=1, runs=tmp_path)

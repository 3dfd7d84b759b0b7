"""``nanopelican bench`` on a network with random weights."""

from __future__ import annotations

import functools
import json
import os

import yaml

from nanopelican_hls.cli import bench, main
from nanopelican_hls.config import Config, to_mapping
from nanopelican_hls.flows import csimulation, emulation
from nanopelican_hls.flows.build_folder import locked
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, QuantiserConfig, QuantisersConfig, Spurions

WIDE = QuantiserConfig(10)
ROLES = (
    *("momenta", "logit", "weights", "biases", "jet_momenta", "d", "d_jet", "d_jj"),
    *("r", "s", "mix", "relu", "diagonal", "sums"),
)


def test_a_network_with_random_weights(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "REPEATS", 1)
    monkeypatch.setattr(bench, "LEAST_SECONDS", 0)
    for module, name in ((csimulation, "compile"), (emulation, "compile_emulator")):
        monkeypatch.setattr(module, name, functools.partial(getattr(module, name), optimisation="-O0"))
    network = NetworkConfig(3, 1, spurions=Spurions.JET, coordinates=Coordinates.LIGHT_CONE)
    quantisers = QuantisersConfig(**dict.fromkeys(ROLES, WIDE))
    mapping = to_mapping(Config("tiny", network, quantisers))
    del mapping["name"]
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(mapping))
    options = ("--build", str(tmp_path / "build"), "--output", str(tmp_path))
    assert main(["bench", "--untrained", str(tmp_path / "tiny.yaml"), *options]) == 0
    (row,) = json.loads((tmp_path / "csimulation.json").read_text())
    speeds = row["events_per_second"]
    assert row["trained"] is False
    assert row["emulator_ratio"] == round(speeds["emulator_real_one_core"] / speeds["logits_one_core"])
    page = (tmp_path / "csimulation.md").read_text()
    assert capsys.readouterr().out == page
    assert page.count("| tiny (random weights) | 3 | 1 |") == 2
    assert f"| {speeds['emulator_integers_one_core']:,} |" in page


def test_no_network(capsys):
    assert main(["bench"]) == 2
    assert "CONFIG: is missing\n  remedy: name a configuration file" in capsys.readouterr().err


def test_one_run_at_a_time_in_a_build_folder(tmp_path, capsys):
    """With csim and synth too: all take this lock."""
    with locked(tmp_path / "trigger-n6"):
        assert main(["bench", "trigger-n6", "--build", str(tmp_path), "--output", str(tmp_path)]) == 2
    assert f"is in use by another run (process {os.getpid()})" in capsys.readouterr().err

"""Every shipped configuration loads, and reading is strict."""

from __future__ import annotations

from pathlib import Path

import pytest

from nanopelican_hls.config import TrainingConfig, load_config, parse_mapping, to_mapping
from nanopelican_hls.errors import ConfigError
from nanopelican_hls.topology.config import Coordinates, Input, NetworkConfig, Spurions

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
ZOO = {f"trigger-n{n}" for n in ("6", "8", "8-l1", "16", "16-5c", "16-c4", "16-l1", "16-plain", "32")} | {
    "paper-n16-c1",
    "paper-n16-c2",
    "paper-n16-c3",
    "paper-n20-c2",
    "paper-n80-c10",
    "paper-n80-c2",
    "paper-n80-n-c10",
}


def test_the_zoo_is_complete():
    assert {path.stem for path in CONFIGS} >= ZOO


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
class TestConfig:
    def test_loads_and_comes_back(self, path):
        config = load_config(path)
        assert config.name == path.stem
        assert parse_mapping(to_mapping(config), "again") == config

    def test_name_says_what_it_is(self, path):
        network = load_config(path).network
        assert f"-n{network.n_constituents}" in path.stem
        paper = path.stem.startswith("paper")
        assert network.symmetric is not paper
        assert network.spurions in ({Spurions.BEAMS} if paper else {Spurions.JET, Spurions.REST})

    def test_says_what_it_is_for(self, path):
        assert path.read_text().startswith("# ")

    @pytest.mark.parametrize(
        ("key", "typo"),
        [("n_constituents", "n_constituent"), ("momenta", "momentum"), ("float_epochs", "epochs_float")],
    )
    def test_an_unknown_key_names_the_nearest(self, path, tmp_path, key, typo):
        changed = tmp_path / path.name
        changed.write_text(path.read_text().replace(f" {key}:", f" {typo}:"))
        with pytest.raises(ConfigError, match=rf"unknown key '{typo}'\n  remedy: did you mean '{key}'\?"):
            load_config(changed)


def test_words_need_light_cone_coordinates():
    with pytest.raises(
        ConfigError, match=r"network\.input: Level-1 words support light-cone coordinates only\n  remedy: "
    ):
        NetworkConfig(4, 2, coordinates=Coordinates.CARTESIAN, input=Input.L1)


def test_an_unknown_input_is_refused(tmp_path):
    path = next(path for path in CONFIGS if path.stem == "trigger-n8-l1")
    changed = tmp_path / path.name
    changed.write_text(path.read_text().replace("input: l1", "input: words"))
    with pytest.raises(ConfigError, match="input: must be one of components, l1, not 'words'"):
        load_config(changed)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("quantised_epochs", -1),
        ("batch_size", -1),
        ("second_order_steps", -1),
        ("second_order_patience", 0),
        ("max_jets", 0),
        ("learning_rate", 0.0),
        ("freeze_scales_fraction", 1.5),
        ("seeds", ()),
        ("dropout", 1.0),
        ("weight_decay", -1.0),
        ("warmup_epochs", 12),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(key, value):
    with pytest.raises(ConfigError, match=f"training.{key}: "):
        TrainingConfig(**{key: value})

"""A threshold as a working point of a card: ``--threshold``, ``firmware.threshold``."""

from __future__ import annotations

import argparse
import json
import shutil

import pytest
import yaml

from nanopelican_hls import zoo
from nanopelican_hls.cli.trained import read_trained, with_result_of
from nanopelican_hls.config import load_config, parse_mapping, to_mapping
from nanopelican_hls.errors import ConfigError
from nanopelican_hls.network.model import load_model
from nanopelican_hls.topology.result import Output, Result


def result(threshold, models=None, score=None, source="trigger-n8"):
    args = argparse.Namespace(score=score, threshold=threshold, models=models)
    return with_result_of(args, source, load_config(source)).firmware.result


def test_the_logit_of_the_card():
    card = json.loads(zoo.file_of("trigger-n8", ".json").read_text())
    assert result("50%").threshold == card["working_points"]["50%"]["threshold"]
    assert result("-1.5", score=True).output is Output.SCORE
    assert result("-1.5").threshold == -1.5


def test_a_working_point_that_the_card_lacks(tmp_path):
    with pytest.raises(ConfigError, match=r"has no working point 31%: it has 30%, 50%, 70%"):
        result("31%")
    old = tmp_path / "trigger-n8.json"
    shutil.copy(zoo.file_of("trigger-n8", ".json"), old)
    card = json.loads(old.read_text())
    del card["working_points"]
    old.write_text(json.dumps(card))
    with pytest.raises(ConfigError, match="has no working point 30%: it has none"):
        result("30%", tmp_path)


@pytest.fixture
def percent(tmp_path):
    """A model whose configuration has a working point as threshold."""
    for suffix in (".pt", ".json", ".onnx"):
        shutil.copy(zoo.file_of("trigger-n8", suffix), tmp_path)
    content = yaml.safe_load(zoo.file_of("trigger-n8", ".yaml").read_text())
    (tmp_path / "trigger-n8.yaml").write_text(yaml.safe_dump(content | {"firmware": {"threshold": "30 %"}}))
    return tmp_path


def test_a_configuration_has_a_working_point(percent):
    config = load_config(percent / "trigger-n8.yaml")
    assert config.firmware.threshold == "30%"
    assert parse_mapping(to_mapping(config), "") == config
    wanted = json.loads((percent / "trigger-n8.json").read_text())["working_points"]["30%"]["threshold"]
    source = str(percent / "trigger-n8.yaml")
    assert result(None, percent, source=source).threshold == wanted
    assert result("1.5", percent, source=source).threshold == 1.5
    assert load_model(percent / "trigger-n8.pt", config).config.firmware.result == Result(Output.LOGIT, wanted)
    program = read_trained(source, config, percent)
    assert [port.name for port in program.outputs] == ["logit", "accept"]
    (percent / "trigger-n8.json").unlink()
    with pytest.raises(ConfigError, match="30% of the signal is a working point"):
        _ = load_model(percent / "trigger-n8.pt", config).config.firmware.result


@pytest.mark.parametrize("threshold", ["high", "%", [1]])
def test_a_threshold_that_is_neither(threshold):
    mapping = to_mapping(load_config("trigger-n8"))
    with pytest.raises(ConfigError, match=r"is neither a logit nor|must be of type float"):
        parse_mapping(mapping | {"firmware": {"threshold": threshold}}, "")


def test_several_classes_are_refused():
    with pytest.raises(ConfigError, match="are for one logit, but the network has several classes"):
        result("1.5", source="trigger-n16-5c")

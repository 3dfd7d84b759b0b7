"""``--threshold`` as a working point of a card."""

from __future__ import annotations

import argparse
import json
import shutil

import pytest

from nanopelican_hls import zoo
from nanopelican_hls.cli.trained import with_result_of
from nanopelican_hls.config import load_config
from nanopelican_hls.errors import ConfigError
from nanopelican_hls.topology.result import Output


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


def test_several_classes_are_refused():
    with pytest.raises(ConfigError, match="are for one logit, but the network has several classes"):
        result("1.5", source="trigger-n16-5c")

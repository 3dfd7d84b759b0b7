"""The card and the table of models, from cards that differ from those of the zoo."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from nanopelican_hls import zoo
from nanopelican_hls.cli import main
from nanopelican_hls.cli.train import _command
from nanopelican_hls.training.card_page import card_markdown, zoo_table

CARD = Path(__file__).parents[2] / "models" / "trigger-n8.json"


@pytest.fixture
def content():
    return json.loads(CARD.read_text(encoding="utf-8"))


def in_floating_point_only(content):
    for forms in content["figures"].values():
        del forms["quantised"]
    for seed in content["seeds"]:
        seed.pop("quantised", None)


def test_a_model_without_a_quantised_network(content):
    assert "those of its firmware, bit for bit" in card_markdown(content)
    in_floating_point_only(content)
    page = card_markdown(content)
    assert "bit for bit" not in page
    assert "Trained in floating point only: there is no quantised network, and so no firmware." in page
    auc = f"{content['figures']['test']['float']['auc']:.4f}"
    assert auc in zoo_table([content])


def test_one_seed_is_chosen(content):
    chosen = [line.split("|")[1].strip() for line in card_markdown(content).splitlines() if "(chosen)" in line]
    assert len(content["seeds"]) > 1
    assert chosen == [f"{content['seed']} (chosen)"] * 2  # float and quantised


def test_the_zoo_with_a_model_without_test_jets(content, tmp_path, capsys):
    del content["figures"]["test"]
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert main(["zoo", str(tmp_path)]) == 0
    auc = f"{content['figures']['valid']['quantised']['auc']:.4f}"
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "trigger-n8" in line]
    assert row.startswith("| trigger-n8 (validation jets) |")
    assert auc in row


@pytest.mark.parametrize(
    ("text", "what"), [("{", "is not JSON"), ("[1]", "is not the card of a model"), ("{}", "card")]
)
def test_a_file_that_is_no_card(tmp_path, capsys, text, what):
    (tmp_path / "a.json").write_text(text)
    assert main(["zoo", str(tmp_path)]) == 2
    errors = capsys.readouterr().err
    assert f"{tmp_path / 'a.json'}: " in errors
    assert what in errors


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("m.yaml", "m.yaml"),
        ("configs/m.yaml", "configs/m.yaml"),
        ("/a/b/m.yaml", "b/m.yaml"),
        ("trigger-n8", "trigger-n8"),
        (str(zoo.file_of("trigger-n8", ".yaml")), "trigger-n8"),
    ],
)
def test_the_command_names_the_configuration(config, expected):
    args = argparse.Namespace(
        config=config, train=Path("/x/t.h5"), valid=Path("v.h5"), test=None, output=Path("models")
    )
    command = f"nanopelican train {expected} --train t.h5 --valid v.h5 --output models --seeds 1"
    assert _command(args, [1]) == command

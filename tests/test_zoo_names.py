"""Models of the zoo are found by name, in every folder and by every command."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path

import pytest

from nanopelican_hls import cli, zoo
from nanopelican_hls.cli import main
from nanopelican_hls.cli.trained import trained_file
from nanopelican_hls.config import load_config
from nanopelican_hls.errors import ConfigError, ContractError, NetworkError
from nanopelican_hls.network.model import load_model

ROOT = Path(__file__).parents[1]
LISTED = f"models of the zoo: {', '.join(zoo.names())}"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty folder as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_names_are_those_of_the_repository():
    assert zoo.names() == sorted(path.stem for path in (ROOT / "configs").glob("*.yaml"))
    for name in zoo.names():
        for suffix in zoo.SUFFIXES:
            assert zoo.file_of(name, suffix).samefile(
                ROOT / ("configs" if suffix == ".yaml" else "models") / (name + suffix)
            )


@pytest.mark.parametrize("name", zoo.names())
def test_a_name_in_an_empty_folder(name):
    config = load_config(name)
    assert load_model(name, config).config.name == name
    assert trained_file(name, config, None, ".onnx") == zoo.MODELS / f"{name}.onnx"


class TestRule:
    """A string that is a name is the model; everything else is a file."""

    @pytest.fixture
    def local(self, elsewhere):
        """A configuration and a folder that are named like models."""
        text = zoo.file_of("trigger-n16", ".yaml").read_text()
        (elsewhere / "trigger-n8").write_text(text)
        (elsewhere / "trigger-n6").mkdir()
        return elsewhere

    @pytest.mark.usefixtures("local")
    def test_a_name_wins(self):
        assert load_config("trigger-n8").network.n_constituents == 8
        assert zoo.find("trigger-n6", ".pt", NetworkError) == zoo.MODELS / "trigger-n6.pt"

    @pytest.mark.usefixtures("local")
    @pytest.mark.parametrize("source", ["./trigger-n8", Path("trigger-n8")])
    def test_a_path_is_a_file(self, source):
        assert load_config(source).network.n_constituents == 16

    def test_a_file_without_a_suffix(self, local):
        (local / "mine").write_bytes((local / "trigger-n8").read_bytes())
        assert load_config("mine").name == "mine"

    def test_its_model_is_that_of_the_zoo_unless_a_folder_is_named(self, elsewhere):
        config = load_config("trigger-n8")
        (elsewhere / "models").mkdir()
        assert trained_file("trigger-n8", config, None, ".pt").parent == zoo.MODELS
        with pytest.raises(NetworkError, match="there is no trained model"):
            trained_file("trigger-n8", config, Path("models"), ".pt")

    def test_the_model_of_a_file_is_not_that_of_the_zoo(self, elsewhere):
        (elsewhere / "trigger-n8.yaml").write_bytes(zoo.file_of("trigger-n8", ".yaml").read_bytes())
        with pytest.raises(NetworkError) as caught:
            trained_file("trigger-n8.yaml", load_config("trigger-n8.yaml"), None, ".pt")
        assert caught.value.where == str(elsewhere / "models" / "trigger-n8.pt")
        assert f"--models FOLDER (that of the zoo is {zoo.MODELS})" in caught.value.remedy
        assert caught.value.remedy.endswith("nanopelican train trigger-n8.yaml --train FILE --valid FILE")


@pytest.mark.parametrize("source", ["trigger-n9", "trigger-n8.yaml", "configs/trigger-n8.yaml", "models/trigger-n8.pt"])
def test_an_unknown_name_lists_the_zoo(source):
    for suffix, error in ((".yaml", ConfigError), (".pt", NetworkError), (".onnx", ContractError)):
        with pytest.raises(error) as caught:
            zoo.find(source, suffix, error)
        assert caught.value.where == source
        assert caught.value.remedy == f"did you mean trigger-n8? {LISTED}"


def test_an_unlike_name_has_no_suggestion():
    with pytest.raises(ConfigError) as caught:
        load_config("x" * 300)  # longer than a file system allows
    assert caught.value.remedy == LISTED


COMMANDS = [
    ["check", "NAME"],
    ["csim", "NAME"],
    ["synth", "NAME"],
    ["upsets", "NAME"],
    ["core", "NAME"],
    ["emulator", "NAME", "--version", "v1"],
    ["estimate", "NAME"],
    ["bench", "NAME"],
    ["train", "NAME", "--train", "none.h5", "--valid", "none.h5"],
    ["precision", "NAME", "NAME", "--jets", "none.h5", "--budget", "0.5"],
    ["formula", "NAME"],
    ["equivariance", "NAME"],
    ["kinematics", "NAME"],
    ["report", "NAME"],
    ["prove", "NAME"],
    ["bench-synth", "--words", "NAME"],
    ["zoo", "NAME"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda words: words[0])
def test_every_command_knows_the_zoo(arguments, capsys):
    """What a command says about a name that is close to one."""
    assert main([word.replace("NAME", "trigger-n9") for word in arguments]) == 2
    error = "error: trigger-n9: is neither a file nor the name of a model\n  remedy: did you mean trigger-n8? "
    assert f"{error}{LISTED}\n" in capsys.readouterr().err


def test_no_other_command_takes_a_model():
    subparsers = argparse.ArgumentParser().add_subparsers()
    for name in cli.COMMANDS:
        importlib.import_module(f"nanopelican_hls.cli.{name.replace('-', '_')}").add_parser(subparsers)
    taking = {
        name
        for name, command in subparsers.choices.items()
        for action in command._actions
        if action.dest in ("config", "configs", "model", "models", "words", "files") and action.type is None
    }
    assert taking | {"zoo"} == {command for command, *_ in COMMANDS}


class TestZoo:
    def test_shows_a_card(self, capsys):
        assert main(["zoo", "trigger-n8"]) == 0
        assert capsys.readouterr().out == (ROOT / "models" / "trigger-n8.md").read_text(encoding="utf-8")

    def test_copies_one(self, elsewhere, capsys):
        assert main(["zoo", "trigger-n8", "--copy", "mine"]) == 0
        copied = sorted(path.relative_to(elsewhere / "mine").as_posix() for path in elsewhere.rglob("trigger*"))
        assert copied == ["configs/trigger-n8.yaml"] + [f"models/trigger-n8.{s}" for s in ("json", "md", "onnx", "pt")]
        assert capsys.readouterr().out.splitlines()[0] == "written: mine/configs/trigger-n8.yaml"
        config = elsewhere / "mine" / "configs" / "trigger-n8.yaml"
        config.write_text("mine")
        assert main(["zoo", "--copy", "mine"]) == 0
        assert config.read_text() == "mine"
        assert len(list(elsewhere.rglob("*.onnx"))) == len(zoo.names())

    def test_copies_only_models_of_the_zoo(self, capsys):
        assert main(["zoo", "other", "--copy", "."]) == 2
        assert "other: is not a model of the zoo" in capsys.readouterr().err


@pytest.mark.parametrize("name", zoo.names())
def test_the_command_of_a_card_needs_no_folder(name):
    command = json.loads(zoo.file_of(name, ".json").read_text())["command"]
    assert command.startswith(f"nanopelican train {name} --train ")
    assert f"```\n{command}\n```" in zoo.file_of(name, ".md").read_text(encoding="utf-8")

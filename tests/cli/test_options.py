"""Every command-line option is used."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import nanopelican_hls.cli
from nanopelican_hls.cli import build_parser, main, subcommands

SOURCES = sorted(Path(nanopelican_hls.cli.__file__).parent.glob("*.py"))


def declared(tree: ast.AST) -> set[str]:
    """Names under which ``add_argument`` stores its values."""
    names = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument":
            words = {word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)}
            if words.get("action") == "version":  # stores nothing
                continue
            flags = [flag.value for flag in call.args if isinstance(flag, ast.Constant)]
            chosen = [words["dest"]] if "dest" in words else []
            long = [flag for flag in flags if flag.startswith("--")]
            names.add((chosen or long or flags)[0].lstrip("-").replace("-", "_"))
    return names


def read(tree: ast.AST) -> set[str]:
    """Names that are used, as ``args.name``."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "args"
    }


def test_every_option_is_read():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]
    options = set().union(*map(declared, trees))
    assert {"multiple_interactions", "jets", "output"} <= options
    assert options - set().union(*map(read, trees)) == set()


def test_options_keep_what_the_user_gave():
    """What `main` adds to the arguments has names that no option of any command has."""
    added = {"typed", "command_line", "document"}
    for words, parser in subcommands(build_parser()):
        assert not added & {action.dest for action in parser._actions}, words


@pytest.mark.parametrize("command", ["kinematics trigger-n6", "equivariance trigger-n6 --events 20 --widths"])
def test_an_output_folder_that_cannot_be_made(command, capsys):
    assert main([*command.split(), "--output", "/proc/nowhere"]) == 2
    assert "cannot be made" in capsys.readouterr().err

"""What commands put out: plain text in pipes, one JSON document with --json, nothing with --quiet."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nanopelican_hls import cli
from nanopelican_hls.cli import build_parser, main, subcommands
from nanopelican_hls.cli.output import Table, listing, plain
from nanopelican_hls.cli.progress import Bar
from nanopelican_hls.jets import read_jets, sample_path, write_jets

SOURCES = sorted(Path(cli.__file__).parent.glob("*.py"))


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Pair:
    first: object
    second: object


def test_a_table_is_aligned_text():
    table = Table("name", ">n", caption="numbers")
    table.add("a", 1)
    table.add("long", 1000)
    assert str(table) == "numbers\nname     n\na        1\nlong  1000"


def test_a_listing():
    assert listing("a core", {"latency": "3 cycles", "LUT": 5}) == "a core\n  latency  3 cycles\n  LUT      5"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.5), 0.5),
        (np.arange(2), [0, 1]),
        ({Colour.RED: (Path("a/b"), None)}, {"red": ["a/b", None]}),
        (Pair(float("nan"), True), {"first": None, "second": True}),
    ],
)
def test_values_of_json(value, expected):
    found = plain(value)
    assert found == expected
    assert json.loads(json.dumps(found, allow_nan=False)) == expected


def test_every_command_emits_its_figures():
    """`jets` only has subcommands."""
    without = {path.stem for path in SOURCES if "def run(" in path.read_text() and " emit(" not in path.read_text()}
    assert without == {"jets"}


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    path = tmp_path_factory.mktemp("jets") / "few.h5"
    write_jets(path, read_jets(sample_path(), 200), {})
    return str(path)


COMMANDS = {
    "zoo": ["zoo"],
    "card": ["zoo", "trigger-n8"],
    "check": ["check", "trigger-n6"],
    "formula": ["formula", "paper-n16-c1"],
    "compare": ["jets", "compare", "FEW", "FEW"],
    "completion": ["completion", "bash"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_json_is_one_document(name, few, capsys):
    words = [few if word == "FEW" else word for word in COMMANDS[name]]
    assert main([*words, "--json"]) == 0
    after = json.loads(capsys.readouterr().out)
    assert main(["--json", *words]) == 0
    assert json.loads(capsys.readouterr().out) == after
    assert after
    assert main([*words, "-q"]) == main(["-q", *words]) == 0
    assert capsys.readouterr().out == ""
    assert main([*words, "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == after


def test_an_error_is_no_document(capsys):
    assert main(["check", "none.onnx", "--json"]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("error: none.onnx: ")


def test_text_in_a_pipe_is_plain(capsys):
    main(["zoo"])
    out = capsys.readouterr().out
    assert out.startswith("| model | N | C |")
    main(["check", "trigger-n6"])
    out += capsys.readouterr().out
    assert "\x1b" not in out and not any(0x2500 <= ord(letter) < 0x2600 for letter in out)


def test_options_of_all_commands():
    taking = dict(subcommands(build_parser()))
    assert {"csim", "jets", "jets show", "rerun", "completion"} <= set(taking)
    for parser in taking.values():
        assert {"-v", "--verbose", "-q", "--quiet", "--json"} <= set(parser._option_string_actions)


def test_exit_statuses(few, tmp_path, capsys):
    assert main(["jets", "compare", few, few]) == 0
    assert main(["jets", "compare", few, few, "--p-min", "2"]) == 1
    assert main(["jets", "compare", few, str(tmp_path / "none.h5")]) == 2
    assert main(["check", "trigger-n6"]) == 0
    assert main(["check", "none.onnx"]) == 2
    assert main(["check"]) == 2
    capsys.readouterr()


class TestBar:
    def bar(self, monkeypatch, seconds, **options):
        now = [100.0]
        monkeypatch.setattr("time.monotonic", lambda: now[0])
        bar = Bar("made", lines=False, **options)
        now[0] += seconds
        return bar

    def test_rate_and_time_left(self, monkeypatch):
        bar = self.bar(monkeypatch, 10, total=2000, unit="jets")
        bar.update(500)
        bar.note("compile")
        assert str(bar) == "25%, 500 of 2,000 jets, 50 jets/s, 0:10 elapsed, 0:30 left, compile"

    def test_what_was_done_before_has_no_rate(self, monkeypatch):
        bar = self.bar(monkeypatch, 10, total=100, unit="")
        bar.skip(50)
        bar.update(1)
        assert str(bar) == "51%, 0:10 elapsed, 8:10 left"

    def test_what_is_done_first_has_no_rate(self, monkeypatch):
        bar = self.bar(monkeypatch, 3590, total=None, unit="jets")
        bar.note("jets")
        monkeypatch.setattr("time.monotonic", lambda: 3700.0)
        bar.update(20)
        assert str(bar) == "20 jets, 2.00 jets/s, 1:00:00 elapsed, jets"

    def test_a_line_now_and_then(self, monkeypatch, capsys):
        bar = self.bar(monkeypatch, 31, total=2, unit="jets")
        bar._lines = True
        bar.update()
        bar.update()
        assert capsys.readouterr().err.count("\n") == 1

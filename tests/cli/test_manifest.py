"""``manifest.json``, and `nanopelican rerun`."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from nanopelican_hls import cli
from nanopelican_hls.cli import main
from nanopelican_hls.cli.manifest import KEYS, checksum, record_of
from nanopelican_hls.jets import read_jets, sample_path, write_jets


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with jets, and what `kinematics` writes of them."""
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("made")
    write_jets(folder / "jets.h5", read_jets(sample_path(), 400), {})
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["kinematics", "trigger-n6", "--jets", "jets.h5", "--background", "0.1", "--output", "out"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def folder(made, monkeypatch):
    monkeypatch.chdir(made)
    return made


def read(path: Path):
    return json.loads(path.read_text())


def entry(folder: Path):
    return read(folder / "out" / "manifest.json")["runs"]["kinematics"]


def changed(folder: Path, target: Path, **values) -> str:
    """A manifest with other values."""
    target.write_text(json.dumps({"format": 1, "runs": {"kinematics": entry(folder) | values}}))
    return str(target)


def test_what_it_says(folder):
    found = entry(folder)
    assert set(found) == set(KEYS)
    assert found["command"][:3] == ["nanopelican", "kinematics", "trigger-n6"]
    assert found["status"] == 0
    assert {"torch", "numpy", "python", "nanopelican-hls"} <= set(found["versions"])
    assert found["arguments"]["background"] == 0.1
    digest = hashlib.sha256((folder / "jets.h5").read_bytes()).hexdigest()
    assert found["inputs"]["jets.h5"] == digest
    assert set(found["inputs"]) == {"jets.h5", "zoo:trigger-n6.pt"}
    csv = folder / "out" / "kinematics-trigger-n6.csv"
    assert found["outputs"] == {csv.name: hashlib.sha256(csv.read_bytes()).hexdigest()}
    assert str(folder) not in json.dumps(found)


def test_a_repetition_is_equal(folder, tmp_path, capsys):
    assert main(["rerun", "out", "--output", str(tmp_path / "kept")]) == 0
    assert "kinematics: equal, 1 files" in capsys.readouterr().out
    again = tmp_path / "kept" / "output"
    assert (again / "kinematics-trigger-n6.csv").read_bytes() == (
        folder / "out" / "kinematics-trigger-n6.csv"
    ).read_bytes()
    assert read(again / "manifest.json")["runs"]["kinematics"]["command"] == entry(folder)["command"]


def test_it_says_what_differs(folder, tmp_path, capsys):
    wrong = changed(
        folder,
        tmp_path / "manifest.json",
        inputs=entry(folder)["inputs"] | {"jets.h5": 64 * "0"},
        outputs={"kinematics-trigger-n6.csv": 64 * "1"},
        versions=entry(folder)["versions"] | {"numpy": "1.0"},
        status=1,
    )
    assert main(["rerun", wrong, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["equal"] is False
    differences = found["runs"]["kinematics"]["differences"]
    assert [(each["kind"], each["name"]) for each in differences] == [
        ("version", "numpy"),
        ("input", "jets.h5"),
        ("exit status", "kinematics"),
        ("output", "kinematics-trigger-n6.csv"),
    ]


def test_other_versions_are_said_and_accepted(folder, tmp_path, capsys):
    other = changed(folder, tmp_path / "manifest.json", versions=entry(folder)["versions"] | {"numpy": "1.0"})
    assert main(["rerun", other]) == 0
    assert "version  numpy  1.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"outputs": 3}, "runs.kinematics.outputs: is damaged"),
        ({"command": ["sh", "-c", "touch x"]}, "runs.kinematics.command: is damaged"),
        ({"command": ["nanopelican", "zoo"]}, "cannot be repeated"),
        ({"command": ["nanopelican", "kinematics", "--no-such-option"]}, "cannot be repeated"),
        ({"inputs": {"none.h5": 64 * "0"}}, "an input is missing: none.h5"),
    ],
)
def test_a_manifest_is_data(folder, values, message, tmp_path, capsys):
    assert main(["rerun", changed(folder, tmp_path / "manifest.json", **values)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a manifest of format 1"),
        ('{"format": 2, "runs": {}}', "is not a manifest of format 1"),
        ('{"format": 1, "runs": {}}', "has no run"),
        ('{"format": 1, "runs": {"rm": {}}}', "runs.rm.command: is damaged"),
    ],
)
def test_a_damaged_manifest(content, message, tmp_path, capsys):
    (tmp_path / "manifest.json").write_text(content)
    assert main(["rerun", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_a_command_that_it_does_not_have(folder, capsys):
    assert main(["rerun", "out", "--command", "csim"]) == 2
    assert "has no run of 'csim'\n  remedy: choose one of kinematics" in capsys.readouterr().err
    assert main(["rerun", str(folder / "none")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_failed_command_leaves_none(tmp_path, capsys):
    assert main(["kinematics", "trigger-n6", "--jets", "none.h5", "--output", str(tmp_path / "new")]) == 2
    assert not (tmp_path / "new").exists()
    capsys.readouterr()


def test_commands_that_leave_one():
    assert {name for name in cli.COMMANDS if record_of(name)} == {
        *("csim", "prove", "synth", "upsets", "core", "emulator", "train", "paper", "study", "precision"),
        *("equivariance", "kinematics", "report"),
    }


def test_times_do_not_count(tmp_path):
    for k, name in enumerate(("a.json", "b.json", "c.json")):
        content = {"auc": k // 2, "seconds": {"compile": k}, "rows": [{"command": str(k)}]}
        (tmp_path / name).write_text(json.dumps(content))
    first, second, third = (checksum(tmp_path / name) for name in ("a.json", "b.json", "c.json"))
    assert first == second != third

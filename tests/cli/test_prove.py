"""`nanopelican prove`: proof.json grows with each row, and rows of the same model and package are kept."""

from __future__ import annotations

import json

import onnx
import pytest

from nanopelican_hls import zoo
from nanopelican_hls.cli import main
from nanopelican_hls.contract.fewer import with_constituents
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.errors import ContractError
from nanopelican_hls.solver.clang import find_clang

pytest.importorskip("bitwuzla", reason="bitwuzla is not installed")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Two networks of two constituents."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("paper-n16-c1", "trigger-n6"):
        program = read_program(zoo.find(name, ".onnx", ContractError))
        onnx.save(with_constituents(program, 2).model, folder / f"{name}.onnx")
    return folder


def prove(models, folder, *words, status=0):
    """Prove models; returns the rows of the report."""
    words = [str(models / f"{word}.onnx") if (models / f"{word}.onnx").is_file() else word for word in words]
    assert main(["prove", *words, "--build", str(folder / "build"), "--output", str(folder)]) == status
    content = json.loads((folder / "proof.json").read_text())
    return {(row["model"], row["target"]): row for row in content["solver"]}


@pytest.mark.skipif(find_clang() is None, reason="clang++ 15 or later is not installed")
def test_rows_are_kept_until_their_model_changes(models, tmp_path):
    first = prove(models, tmp_path, "trigger-n6", "--firmware", "emulator")
    assert list(first) == [("trigger-n6", "emulator")]
    assert first["trigger-n6", "emulator"]["verdict"] == "proved"
    both = prove(models, tmp_path, "paper-n16-c1", "trigger-n6", "--firmware", "emulator")
    assert list(both) == [("paper-n16-c1", "emulator"), ("trigger-n6", "emulator")]
    assert both["trigger-n6", "emulator"] == first["trigger-n6", "emulator"]  # its seconds, too
    page = (tmp_path / "proof.md").read_text()
    assert all(f"| {name} | 2 | emulator |" in page for name in ("paper-n16-c1", "trigger-n6"))

    content = json.loads((tmp_path / "proof.json").read_text())
    content["solver"][0] |= {"digest": "of another model", "verdict": "refuted"}
    (tmp_path / "proof.json").write_text(json.dumps(content))
    again = prove(models, tmp_path, "paper-n16-c1", "--firmware", "emulator")
    assert again["paper-n16-c1", "emulator"]["verdict"] == "proved"
    assert again["trigger-n6", "emulator"] == first["trigger-n6", "emulator"]


@pytest.mark.skipif(find_clang() is None, reason="clang++ 15 or later is not installed")
def test_what_is_not_tried_is_unproved_with_its_reason(models, tmp_path):
    row = prove(models, tmp_path, "trigger-n6", "--firmware", "hls", "--most", "1")["trigger-n6", "hls"]
    assert (row["verdict"], row["reason"]) == ("unproved", "not tried: more than 1 constituents (--most)")
    assert "Faults and damaged files" not in (tmp_path / "proof.md").read_text()
    tried = prove(models, tmp_path, "trigger-n6", "--firmware", "emulator")
    assert [tried["trigger-n6", target]["verdict"] for target in ("emulator", "hls")] == ["proved", "unproved"]


@pytest.mark.skipif(find_clang() is None, reason="clang++ 15 or later is not installed")
def test_what_mutants_and_fuzzing_left_is_told(models, tmp_path):
    fault = {"file": "a.py", "before": "1", "after": "2", "reason": "equal", "outcome": "survived", "seconds": 1.0}
    mutants = {"mutants": [fault, fault | {"outcome": "killed", "reason": ""}]}
    (tmp_path / "mutants.json").write_text(json.dumps(mutants))
    targets = {"onnx": {"seconds": 5, "executions": 1200, "findings": {}}}
    targets["yaml"] = {"seconds": 5, "executions": 34, "findings": {"hang": ["a.yaml"]}}
    (tmp_path / "fuzz.json").write_text(json.dumps(targets))
    prove(models, tmp_path, "trigger-n6", "--firmware", "hls", "--most", "1")
    content = json.loads((tmp_path / "proof.json").read_text())
    survivor = {key: fault[key] for key in ("file", "before", "after", "reason")}
    assert content["mutants"] == {"tried": 2, "killed": 1, "survived": 1, "survivors": [survivor]}
    assert content["fuzz"]["yaml"] == {"seconds": 5, "executions": 34, "open_findings": 1}
    page = (tmp_path / "proof.md").read_text()
    assert "2 tried, 1 killed, 1 survived, 0 of them without a reason" in page
    assert "1,234 executions of 2 targets, 1 findings open" in page

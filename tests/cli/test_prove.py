"""`nanopelican prove`: proof.json grows with each row, and rows of the same model and package are kept."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import onnx
import pytest

from nanopelican_hls import zoo
from nanopelican_hls.cli import main
from nanopelican_hls.contract.fewer import with_constituents
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.errors import ContractError, SolverError
from nanopelican_hls.files import one_at_a_time
from nanopelican_hls.solver import report, rows, verilog_report
from nanopelican_hls.solver.clang import find_clang
from nanopelican_hls.solver.rows import result_cells

pytest.importorskip("bitwuzla", reason="bitwuzla is not installed")

ROOT = Path(report.__file__).parents[1]


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


@pytest.mark.skipif(find_clang() is None, reason="clang++ 15 or later is not installed")
def test_more_time_is_used(models, tmp_path):
    """A row that is proved is kept, whatever its limit was; one without an answer is kept for no more time only."""
    first = prove(models, tmp_path, "trigger-n6", "--firmware", "emulator", "--limit", "20")["trigger-n6", "emulator"]
    assert prove(models, tmp_path, "trigger-n6", "--firmware", "emulator", "--limit", "30") == {
        ("trigger-n6", "emulator"): first
    }
    content = json.loads((tmp_path / "proof.json").read_text())
    content["solver"][0]["verdict"] = "unproved"
    (tmp_path / "proof.json").write_text(json.dumps(content))
    again = prove(models, tmp_path, "trigger-n6", "--firmware", "emulator", "--limit", "20")
    assert again["trigger-n6", "emulator"]["verdict"] == "unproved"
    again = prove(models, tmp_path, "trigger-n6", "--firmware", "emulator", "--limit", "21")["trigger-n6", "emulator"]
    assert (again["verdict"], again["limit_s"]) == ("proved", 21)


@pytest.mark.parametrize("option", ["--limit", "--hls-seconds"])
@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf", "soon"])
def test_a_time_is_a_positive_number(option, seconds, tmp_path, capsys):
    words = ["prove", "trigger-n6", option, seconds, "--build", str(tmp_path), "--output", str(tmp_path)]
    assert main(words) == 2
    assert "must be a positive number of seconds" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["build", "output"])
def test_one_run_at_a_time(kind, models, tmp_path, capsys):
    for name in ("build", "output"):
        (tmp_path / name).mkdir()
    words = ["prove", str(models / "trigger-n6.onnx"), "--most", "1", "--firmware", "hls"]
    words += [word for name in ("build", "output") for word in (f"--{name}", str(tmp_path / name))]
    with one_at_a_time(tmp_path / kind, SolverError):
        assert main(words) == 2
    said = capsys.readouterr().err
    assert f"{kind}: is in use by another run" in said
    assert f"choose another folder (--{kind} FOLDER)" in said
    assert main(words) == 0


def test_build_and_output_may_be_one_folder(models, tmp_path):
    words = ["prove", str(models / "trigger-n6.onnx"), "--most", "1", "--firmware", "hls"]
    assert main([*words, "--build", str(tmp_path), "--output", str(tmp_path)]) == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(("proof.json", content) for content in ('{"solver": 3}', "[1]", '{"solver": [{"model": "x"}]}', '{"solver')),
        ("fuzz.json", '{"onnx": {'),
        ("mutants.json", "{}"),
    ],
)
def test_damaged_reports_are_named(name, content, models, tmp_path, capsys):
    (tmp_path / name).write_text(content)
    words = ["prove", str(models / "trigger-n6.onnx"), "--most", "1", "--firmware", "hls"]
    assert main([*words, "--build", str(tmp_path / "build"), "--output", str(tmp_path)]) == 2
    assert f"{name}: is damaged" in capsys.readouterr().err
    assert (tmp_path / name).read_text() == content


def test_a_long_reason_is_cut_between_words():
    row = {"seconds": 1.0, "verdict": "unproved", "reason": "word " * 100}
    *_, reason = result_cells(row)
    assert reason.endswith("word ...")
    assert len(reason) < 210
    assert result_cells(row | {"reason": "short"})[-1] == "short"


def imported(*names):
    """Modules of the package that these import, directly or not."""
    found, todo = {}, list(names)
    while todo:
        name = todo.pop()
        path = ROOT.parent.joinpath(*name.split("."))
        file = next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)
        if file is None or name in found:
            continue
        found[name] = file.relative_to(ROOT)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nanopelican_hls"):
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return set(found.values())


#: change no firmware, and no proof
HARMLESS = {Path(name) for name in ("__init__.py", "errors.py", "extras.py", "files.py", "versions.py")}


@pytest.mark.parametrize(
    ("entries", "rooms", "elsewhere"),
    [
        (("solver.proving", "solver.kernel", "hls.project", "emulator.source"), report.ROOMS, ()),
        # the kernels of the C++ are imported for their types
        (("solver.verilog", "rtl.project", "contract.fewer"), verilog_report.ROOMS, ("hls", "emulator")),
    ],
)
def test_the_digest_is_of_all_sources(entries, rooms, elsewhere):
    """Or a row would be kept when the firmware is another."""
    found = imported(*(f"nanopelican_hls.{entry}" for entry in entries)) - HARMLESS
    assert len(found) > 30
    known = {*rooms, *elsewhere, *rows.FILES}
    assert {str(file) for file in found if file.parts[0] not in known} == set()


def test_the_digest_sees_sources_and_tools(monkeypatch, models):
    program = read_program(models / "trigger-n6.onnx")

    def digest():
        return verilog_report.verilog_digest(program)

    first = digest()
    assert digest() == first
    monkeypatch.setattr(rows, "installed", lambda tools: dict.fromkeys(tools, "0"))
    other = digest()
    assert other != first
    monkeypatch.setattr(rows, "FILES", rows.FILES[1:])
    assert digest() != other

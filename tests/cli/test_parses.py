"""Every command parses a QONNX file only once, however many processes it uses."""

from __future__ import annotations

import pytest
from cli.test_csim import command, workspace
from rtl_extra import MISSING

from nanopelican_hls.cli import main
from nanopelican_hls.contract.program import Program
from nanopelican_hls.proof import hostile

__all__ = ["command", "workspace"]


@pytest.fixture
def parses(tmp_path, monkeypatch):
    """Count calls of `Program.parse`, including those in forked processes."""
    log, parse = tmp_path / "parses", Program.parse

    def counted(model):
        with log.open("a") as file:
            file.write("x")
        return parse(model)

    monkeypatch.setattr(Program, "parse", counted)
    return lambda: len(log.read_text()) if log.exists() else 0


def test_csim(command, parses, monkeypatch):
    monkeypatch.setattr(hostile, "SEARCH_ROUNDS", 1)
    assert command("--events", "50") == 0
    assert parses() == 1


@pytest.mark.parametrize("name", ["check", "estimate"])
def test_commands_on_a_file(name, workspace, parses):
    if name == "estimate" and MISSING:
        pytest.skip(f"needs the extra rtl: {', '.join(MISSING)}")
    assert main([name, str(workspace / "models" / "tiny.onnx")]) == 0
    assert parses() == 1


@pytest.mark.skipif(bool(MISSING), reason=f"needs the extra rtl: {', '.join(MISSING)}")
def test_synth(workspace, parses, tmp_path, monkeypatch):
    from nanopelican_hls.flows import open as flow

    monkeypatch.setattr(flow, "HOSTILE_EVENTS", 90)
    monkeypatch.setattr(hostile, "SEARCH_ROUNDS", 1)
    arguments = ["--models", str(workspace / "models"), "--build", str(tmp_path), "--flow", "open", "--events", "20"]
    assert main(["synth", str(workspace / "tiny.yaml"), *arguments]) == 0
    assert parses() == 1

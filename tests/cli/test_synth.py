"""``nanopelican synth``, with stand-ins for the vendor's tools and without tools."""

from __future__ import annotations

import json
import os
import sys
import types
from pathlib import Path

import onnx
import pytest
import yaml
from hls_models import MODELS

from nanopelican_hls.cli import main
from nanopelican_hls.config import Config, to_mapping
from nanopelican_hls.flows.build_folder import locked
from nanopelican_hls.flows.report import JSON_KEYS, RtlComparison, SynthesisReport
from nanopelican_hls.jets import read_jets, sample_path
from nanopelican_hls.topology.config import QuantiserConfig, QuantisersConfig

SYNTH = Path(__file__).parents[1] / "flows"
WIDE = QuantiserConfig(10)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A folder with tiny.yaml and models/tiny.onnx."""
    folder = tmp_path_factory.mktemp("workspace")
    tiny = MODELS["plain-laboratory"]
    quantisers = QuantisersConfig(**dict.fromkeys(("momenta", "logit", "weights", "biases"), WIDE))
    mapping = to_mapping(Config("tiny", tiny.network, quantisers))
    del mapping["name"]
    (folder / "tiny.yaml").write_text(yaml.safe_dump(mapping))
    (folder / "models").mkdir()
    onnx.save(tiny.onnx(), folder / "models" / "tiny.onnx")
    return folder


@pytest.fixture
def command(workspace, tmp_path, monkeypatch):
    """The command, with only stand-ins on the PATH; ``install`` adds them."""
    tools = tmp_path / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join([str(tools), "/usr/bin", "/bin"]))
    monkeypatch.setenv("STAND_IN_REPORTS", str(SYNTH / "reports"))

    def run(*arguments, config="tiny.yaml"):
        folders = ["--models", str(workspace / "models"), "--build", str(tmp_path / "build")]
        return main(["synth", str(workspace / config), *folders, *map(str, arguments)])

    def install(*names):
        for name in names:
            (tools / name).write_text(f"#!{sys.executable}\n" + (SYNTH / "stand_in.py").read_text())
            (tools / name).chmod(0o755)

    run.install, run.build = install, tmp_path / "build" / "tiny"
    return run


@pytest.fixture
def open_flow(monkeypatch):
    """Replaces the open flow by one that records its arguments."""
    calls = []
    module = types.ModuleType("nanopelican_hls.flows.open")

    def synthesise(model, build, device, ports, announce, **options):
        calls.append((model, build, device, ports))
        module.options = options
        announce("mapping")
        code = device.part.ordering_code
        return SynthesisReport(code, "open", "mapped", {"Yosys": "0"}, 2.5, rtl_vs_qonnx=RtlComparison(5, 0), lut=7)

    module.synthesise = synthesise
    monkeypatch.setitem(sys.modules, "nanopelican_hls.flows.open", module)
    return calls


def report(command):
    return json.loads((command.build / "synth.json").read_text())


def test_logic_synthesis_is_the_default_of_the_vendor_flow(command, capsys):
    command.install("vitis-run", "vivado")
    assert command("--part", "xcvu13p", "--clock", 2.5) == 0
    content = report(command)
    assert tuple(content) == JSON_KEYS
    assert (content["stage"], content["lut"], content["latency_ns"]) == ("vsynth", 20011, 32.5)
    out, errors = capsys.readouterr()
    assert "csynth: vitis-run 2023.2, log in" in errors
    assert "xcvu13p-flga2577-2-e, vendor flow, stage vsynth, by vitis-run 2023.2 and vivado 2023.2" in out


def test_options_reach_the_tools(command):
    command.install("vitis_hls")
    options = ["--part", "xcvu9p", "--clock", 4, "--clock-uncertainty", 0, "--interval", 2, "--export"]
    assert command("--stage", "csynth", *options) == 0
    folder = command.build / "vendor"
    assert (folder / "settings.tcl").read_text().splitlines()[1:] == [
        "set top nanopelican",
        "set part xcvu9p-flga2104-2-e",
        "set clock_period_ns 4",
        "set clock_uncertainty_percent 0",
    ]
    assert "PIPELINE II=2" in (folder / "firmware" / "nanopelican.cpp").read_text()
    assert (folder / "commands.txt").read_text().splitlines() == ["vitis_hls -f csynth.tcl", "vitis_hls -f export.tcl"]


def test_a_cosimulation_that_differs_ends_with_status_1(command, monkeypatch, capsys):
    command.install("vitis-run")
    assert command("--stage", "cosim", "--events", 7) == 0
    assert report(command)["rtl_vs_qonnx"] == {"events": 7, "mismatches": 0}
    monkeypatch.setenv("STAND_IN_FAILS_IN", "cosim")
    monkeypatch.setenv("STAND_IN_FAILURE", "mismatch")
    assert command("--stage", "cosim", "--events", 8) == 1
    assert report(command)["rtl_vs_qonnx"] == {"events": 8, "mismatches": 3}
    assert "3 of 8 events differ" in capsys.readouterr().out


def test_without_vendor_tools_the_open_flow_answers(command, open_flow):
    assert command("--part", "xcku15p", "--events", 5) == 0
    (_, build, device, ports) = open_flow[0]
    assert build == command.build
    assert (device.part.name, device.clock_period_ns, device.interval) == ("xcku15p", 2.7777, 1)
    assert {len(array) for array in ports.values()} == {5}
    assert report(command)["lut"] == 7
    command.install("vitis-run", "vivado")
    assert command("--clock", 2.5) == 0
    assert report(command)["flow"] == "vendor"
    assert command("--flow", "open") == 0
    assert report(command)["flow"] == "open"
    assert {len(array) for array in open_flow[1][3].values()} == {len(read_jets(sample_path()).multiplicity)}


def test_the_interval_is_that_of_the_configuration(command, workspace, open_flow):
    mapping = yaml.safe_load((workspace / "tiny.yaml").read_text())
    mapping["firmware"] |= {"interval": 3, "clock_period_ns": 5.0, "part": "xcu250"}
    (workspace / "slow.yaml").write_text(yaml.safe_dump(mapping))
    (workspace / "models" / "slow.onnx").write_bytes((workspace / "models" / "tiny.onnx").read_bytes())
    assert command("--events", 1, config="slow.yaml") == 0
    device = open_flow[0][2]
    assert (device.interval, device.clock_period_ns, device.part.name) == (3, 5.0, "xcu250")


@pytest.mark.usefixtures("open_flow")
def test_whether_constituents_are_streamed_is_that_of_the_configuration(command, workspace):
    mapping = yaml.safe_load((workspace / "tiny.yaml").read_text())
    mapping["firmware"] |= {"streamed": True}
    (workspace / "streamed.yaml").write_text(yaml.safe_dump(mapping))
    (workspace / "models" / "streamed.onnx").write_bytes((workspace / "models" / "tiny.onnx").read_bytes())
    seen = []
    for options in ([], ["--no-streamed"]):
        assert command("--events", 1, *options, config="streamed.yaml") == 0
        seen.append(sys.modules["nanopelican_hls.flows.open"].options)
    assert seen == [{"tmr": "none", "streamed": True}, {"tmr": "none", "streamed": False}]


@pytest.mark.parametrize(
    ("flow", "other", "options"),
    [
        ("vendor", "open", ["--streamed"]),
        ("vendor", "open", ["--most-dsps", "0"]),
        ("vendor", "open", ["--products", "fabric"]),
        ("vendor", "open", ["--winograd"]),
        ("vendor", "open", ["--direct"]),
        ("vendor", "open", ["--tmr", "all"]),
        ("open", "vendor", ["--stage", "csynth"]),
        ("open", "vendor", ["--clock-uncertainty", "0"]),
        ("open", "vendor", ["--export"]),
    ],
)
def test_options_of_the_other_flow_are_refused(command, capsys, flow, other, options):
    assert command("--flow", flow, *options) == 2
    message = (
        f"error: {options[0]}: is for the {other} flow, and this is the {flow} one\n  remedy: leave it out, or use"
    )
    assert capsys.readouterr().err.startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--part", "xcvu12p"], "'xcvu12p': is not a known part\n  remedy: did you mean xcvu"),
        (["--clock", "0"], "clock: must be a positive number of ns, not 0"),
        (["--clock", "nan"], "clock: must be a positive number of ns, not nan"),
        (["--clock-uncertainty", "100"], "clock uncertainty: must be at least 0"),
        (["--interval", "0"], "interval: must be at least 1, not 0"),
        (["--events", "0"], "events: must be at least 1, not 0"),
        (["--stage", "routed"], "stage: unknown stage 'routed'"),
        (["--stage", "impl"], "PATH: vivado not found"),
        (["--models", "nowhere"], "there is no trained model for this configuration"),
    ],
)
def test_a_user_error_is_one_message_and_status_2(command, capsys, arguments, message):
    command.install("vitis-run")
    assert command("--stage", "csynth", *arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert not (command.build / "synth.json").exists()


def test_a_stage_needs_the_vendor_tools(command, open_flow, capsys):
    assert command("--stage", "csynth") == 2
    assert "PATH: vitis-run and vitis_hls not found" in capsys.readouterr().err
    assert open_flow == []


@pytest.mark.parametrize("missing", ["module", "function"])
def test_neither_flow_is_there(command, monkeypatch, capsys, missing):
    module = None if missing == "module" else types.ModuleType("nanopelican_hls.flows.open")
    monkeypatch.setitem(sys.modules, "nanopelican_hls.flows.open", module)
    assert command() == 2
    error = capsys.readouterr().err
    assert "error: the open flow: " in error
    assert "remedy: put vitis-run or vitis_hls on the PATH" in error


def test_two_runs_in_one_build_folder(command, capsys):
    command.install("vitis-run")
    with locked(command.build):
        assert command("--stage", "csynth") == 2
    assert f"is in use by another run (process {os.getpid()})" in capsys.readouterr().err
    assert command("--stage", "csynth", "--clock", 2.5) == 0

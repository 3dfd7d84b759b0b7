"""The vendor flow, with stand-ins for its tools: command lines, generated files, figures, failures."""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hls_models import MODELS
from random_networks import random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.flows import vendor_project
from nanopelican_hls.flows.device import Device
from nanopelican_hls.flows.parts import find_part
from nanopelican_hls.flows.report import RtlComparison, Timing
from nanopelican_hls.flows.vendor import synthesise
from nanopelican_hls.flows.vendor_project import STAGES, STEPS, VendorSettings, scripts_path
from nanopelican_hls.hls.project import convert

GOLDEN = Path(__file__).parent / "golden"
#: if set, the golden files are rewritten
REFRESH = "NANOPELICAN_REFRESH_GOLDEN"
EVENTS = 20
DEVICE = Device(find_part("xcvu13p"), 2.5)


def check_golden(name, text):
    if os.environ.get(REFRESH):
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text(), f"set {REFRESH}=1 to refresh {name}"


@pytest.fixture(scope="module")
def cached_convert(tmp_path_factory):
    """`convert` of one model, cached by its options."""
    made = {}

    def call(model, path, **options):
        key = tuple(options.items())
        if key not in made:
            made[key] = convert(model, tmp_path_factory.mktemp("project") / "hls", **options)
        shutil.copytree(made[key].path, path, copy_function=os.link)
        return dataclasses.replace(made[key], path=path)

    return call


@pytest.fixture
def flow(model, tmp_path, monkeypatch, cached_convert):
    """Runs the flow and returns its report; records what it announces."""
    monkeypatch.setattr(vendor_project, "convert", cached_convert)

    def run(stage="csynth", **options):
        device = options.pop("device", DEVICE)
        ports = random_ports(MODELS["plain-laboratory"].network, EVENTS, seed=options.pop("seed", 0))
        run.announced = []
        settings = VendorSettings(device, stage, **options)
        return synthesise(model, tmp_path / "build", settings, ports, run.announced.append)

    run.folder = tmp_path / "build" / "vendor"
    return run


class TestFigures:
    @pytest.fixture(autouse=True)
    def _tools(self, tools):
        tools("vitis-run", "vivado")

    def test_csynth(self, flow):
        report = flow("csynth")
        assert (report.part, report.flow, report.stage) == ("xcvu13p-flga2577-2-e", "vendor", "csynth")
        assert report.tool_versions == {"vitis-run": "2023.2"}
        assert (report.clock_period_ns, report.latency_cycles, report.initiation_interval) == (2.5, 13, 2)
        assert report.latency_ns == 32.5
        assert (report.lut, report.ff, report.dsp, report.bram36, report.carry) == (52003, 9001, 107, 1.5, None)
        assert report.timing == Timing("Vitis HLS 2023.2, estimate of C synthesis", 1.795)
        assert report.rtl_vs_qonnx is None

    def test_cosim_takes_its_cycles_from_the_simulation(self, flow):
        report = flow("cosim")
        assert (report.latency_cycles, report.initiation_interval) == (14, 3)
        assert report.rtl_vs_qonnx == RtlComparison(EVENTS, 0)
        assert report.lut == 52003

    def test_vsynth_takes_its_resources_from_vivado(self, flow):
        report = flow("vsynth")
        assert report.tool_versions == {"vitis-run": "2023.2", "vivado": "2023.2"}
        assert (report.lut, report.ff, report.dsp, report.bram36, report.carry) == (20011, 8009, 109, 2.5, 601)
        assert (report.latency_cycles, report.initiation_interval) == (13, 2)
        assert report.timing == Timing("Vivado 2023.2 after logic synthesis, out of context", 1.8)

    def test_impl(self, flow):
        report = flow("impl")
        assert report.lut == 19013
        assert report.timing == Timing("Vivado 2023.2 after routing, out of context", 2.625)

    def test_a_mismatch_of_the_rtl_is_a_result(self, flow, fails):
        fails("cosim", "mismatch")
        assert flow("cosim").rtl_vs_qonnx == RtlComparison(EVENTS, 3)
        fails("cosim", "none")
        assert flow("cosim").rtl_vs_qonnx == RtlComparison(EVENTS, 0)

    @pytest.mark.parametrize(
        ("product", "old", "new", "message"),
        [
            (STEPS["csynth"].products[0], "xcvu13p", "xcvu9p", "nanopelican, xcvu9p-flga2577-2-e, 2.50 ns; expected"),
            (STEPS["csynth"].products[0], "'nanopelican'", "'other'", "is for other, xcvu13p"),
            (STEPS["csynth"].products[1], "2.50 ns", "2.60 ns", "flga2577-2-e, 2.60 ns; expected nanopelican, xcvu"),
            (STEPS["vsynth"].products[0], "Synthesized", "Routed", "2-e, Routed; expected .*, Synthesized"),
            (STEPS["vsynth"].products[0], "xcvu13p-f", "xcvu9p-f", "nanopelican, xcvu9p-flga2577-2-e, Synthesized; "),
        ],
    )
    def test_figures_of_something_else_are_refused(self, flow, product, old, new, message):
        flow("vsynth")
        path = flow.folder / product
        path.write_text(path.read_text().replace(old, new))
        with pytest.raises(SynthesisError, match=message):
            flow("vsynth")

    def test_a_target_that_is_not_met_is_said(self, flow, caplog):
        flow("impl")
        assert caplog.messages == [
            "initiation interval is 2, but 1 was requested",
            "the clock period is 0.125 ns too short according to Vivado 2023.2 after routing, out of context",
        ]
        caplog.clear()
        flow("vsynth", device=dataclasses.replace(DEVICE, interval=2))
        assert caplog.messages == []

    def test_a_cosimulation_whose_report_and_bench_disagree_is_refused(self, flow):
        flow("cosim")
        path = flow.folder / STEPS["cosim"].products[0]
        path.write_text(path.read_text().replace("Pass", "Fail"))
        with pytest.raises(SynthesisError, match="reports Fail, although the test bench passed"):
            flow("cosim")


class TestFiles:
    @pytest.mark.parametrize(("tool", "stage"), [("vitis-run", s) for s in STAGES] + [("vitis_hls", "vsynth")])
    def test_command_lines(self, flow, tools, tool, stage):
        tools(tool, "vivado")
        flow(stage, export=stage == "csynth")
        check_golden(f"commands_{tool}_{stage}.txt", (flow.folder / "commands.txt").read_text())

    def test_settings(self, flow, tools):
        tools("vitis-run")
        flow(device=Device(find_part("xcu250"), 2.7777), clock_uncertainty_percent=12.5)
        check_golden("settings.tcl", (flow.folder / "settings.tcl").read_text())

    def test_the_tools_get_all_that_they_need(self, flow, tools):
        tools("vitis-run")
        flow("cosim", device=dataclasses.replace(DEVICE, interval=3))
        files = {path.relative_to(flow.folder).as_posix() for path in flow.folder.rglob("*") if path.is_file()}
        assert {f"{step}.tcl" for step in STEPS} | {"nanopelican_test.cpp", "tb_data/events.dat"} < files
        assert {"firmware/nanopelican.cpp", "firmware/parameters.h", "logs/csynth.log"} < files
        assert not [f for f in files if "ap_types" in f or f.startswith(".")]
        assert "PIPELINE II=3" in (flow.folder / "firmware/nanopelican.cpp").read_text()
        assert len((flow.folder / "tb_data/events.dat").read_text().splitlines()) == 1 + EVENTS

    def test_the_bench_expects_what_qonnx_execution_gives(self, flow, tools, model):
        tools("vitis-run")
        flow("cosim")
        header, *lines = (flow.folder / "tb_data/events.dat").read_text().splitlines()
        ports = random_ports(MODELS["plain-laboratory"].network, EVENTS)
        exponent = int(header.rpartition("^")[2])
        logits = [math.ldexp(int(line.split()[-1]), exponent) for line in lines]
        assert logits == execute(model, ports)["logit"][:, 0].tolist()

    def test_a_second_run_touches_nothing_and_repeats_nothing(self, flow, tools):
        tools("vitis-run", "vivado")
        first = flow("vsynth")
        before = {path: path.stat().st_mtime_ns for path in flow.folder.rglob("*") if path.is_file()}
        assert flow("vsynth") == first
        assert {path: path.stat().st_mtime_ns for path in before} == before
        assert flow.announced == ["csynth: already done", "vsynth: already done"]
        flow("impl")
        assert [line.partition(",")[0] for line in flow.announced] == [
            "csynth: already done",
            "vsynth: already done",
            "impl: vivado 2023.2",
        ]

    def test_what_changed_is_run_again(self, flow, tools, monkeypatch):
        tools("vitis-run", "vivado")
        flow("vsynth")
        firmware = flow.folder / "firmware/nanopelican.cpp"
        before = firmware.stat().st_mtime_ns
        flow("vsynth", device=dataclasses.replace(DEVICE, clock_period_ns=3.0))
        assert not [line for line in flow.announced if "before" in line]
        assert firmware.stat().st_mtime_ns == before
        monkeypatch.setenv("STAND_IN_VERSION", "2024.1")
        flow("vsynth", device=dataclasses.replace(DEVICE, clock_period_ns=3.0))
        assert [line.partition(",")[0] for line in flow.announced] == [
            "csynth: vitis-run 2024.1",
            "vsynth: vivado 2024.1",
        ]

    def test_other_events_are_simulated_and_lost_products_made_again(self, flow, tools):
        tools("vitis-run")
        flow("cosim")
        flow("cosim", seed=1)
        assert [line.partition(",")[0] for line in flow.announced] == [
            "csynth: already done",
            "cosim: vitis-run 2023.2",
        ]
        (flow.folder / STEPS["csynth"].products[1]).unlink()
        flow("csynth")
        assert [line.partition(",")[0] for line in flow.announced] == ["csynth: vitis-run 2023.2"]

    def test_logic_synthesis_follows_a_new_c_synthesis(self, flow, tools):
        """Another HLS tool writes different Verilog, although the settings of Vivado have not changed."""
        folder = tools("vitis-run", "vivado")
        flow("vsynth")
        tools("vitis_hls")
        (folder / "vitis-run").unlink()
        flow("vsynth")
        assert [line.partition(",")[0] for line in flow.announced] == [
            "csynth: vitis_hls 2023.2",
            "vsynth: vivado 2023.2",
        ]

    def test_files_of_an_older_model_go(self, flow, tools):
        tools("vitis-run")
        flow()
        leftover = flow.folder / "firmware" / "weights" / "old.h"
        leftover.write_text("")
        flow()
        assert not leftover.exists()


class TestFailures:
    def test_a_tool_is_missing_before_anything_is_started(self, flow, tools):
        tools()
        with pytest.raises(SynthesisError, match="vitis-run and vitis_hls not found"):
            flow()
        tools("vitis-run")
        with pytest.raises(SynthesisError, match="vivado not found"):
            flow("vsynth")
        assert not flow.folder.exists()

    @pytest.mark.parametrize(
        ("names", "version", "message"),
        [
            (
                ("vitis-run",),
                "2022.2",
                r"PATH: vitis-run 2022.2 is too old\n  remedy: install vitis-run \(from 2023.1\)",
            ),
            (("vitis_hls",), "2020.1", "PATH: vitis_hls 2020.1 is too old"),
            (("vivado_hls",), "2019.2", r"PATH: vivado_hls \(older than Vitis\) is too old"),
            (("vitis_hls", "vitis-run"), "2020.1", "PATH: vitis-run 2020.1, vitis_hls 2020.1 is too old"),
            (("vitis-run",), "unknown", "does not report its version; `--version` prints: "),
        ],
    )
    def test_a_tool_is_too_old(self, flow, tools, monkeypatch, names, version, message):
        tools(*names)
        monkeypatch.setenv("STAND_IN_VERSION", version)
        with pytest.raises(SynthesisError, match=message):
            flow()
        assert not flow.folder.exists()

    def test_the_older_tool_serves_where_the_newer_is_too_old_for_it(self, flow, tools, monkeypatch):
        tools("vitis-run", "vitis_hls")
        monkeypatch.setenv("STAND_IN_VERSION", "2022.2")
        assert flow().tool_versions == {"vitis_hls": "2022.2"}

    @pytest.mark.parametrize(
        ("step", "failure", "parts"),
        [
            ("csynth", "licence", ["a licence is missing", "Common 17-345", "XILINXD_LICENSE_FILE"]),
            ("csynth", "part", ["the part is not installed", "HLS 200-1023"]),
            ("vsynth", "vivado part", ["vivado 2023.2 failed in vsynth.tcl", "the part is not installed"]),
            ("csynth", "part select", ["(exit status 1)\n  ERROR: [HLS 214-1] part select of this type"]),
            ("impl", "allocation", ["out of memory", "std::bad_alloc", "impl: opening the project"]),
            ("csynth", "source", ["(exit status 1)", "undeclared identifier", "ERROR: c\n  last step"]),
            ("vsynth", "killed", ["was killed in vsynth.tcl (SIGKILL)", "[HLS 200-111] Finished half", "memory"]),
            ("csynth", "killed inside", ["was killed in csynth.tcl (SIGKILL)", "Finished half of it"]),
            ("csynth", "silent", ["ended csynth.tcl without writing nanopelican_prj/", "the wrapper hides"]),
            ("cosim", "silent", ["ended cosim.tcl without writing", "the wrapper hides"]),
            ("cosim", "afterwards", ["failed in cosim.tcl (exit status 1)", "C/RTL co-simulation failed"]),
        ],
    )
    def test_a_failure_is_named(self, flow, tools, fails, step, failure, parts):
        tools("vitis-run", "vivado")
        fails(step, failure)
        with pytest.raises(SynthesisError) as error:
            flow("cosim" if step == "cosim" else "impl")
        assert [
            part for part in [*parts, str(flow.folder / "logs" / f"{step}.log")] if part not in str(error.value)
        ] == []
        assert "ERROR: d" not in str(error.value)

    def test_what_was_finished_before_a_failure_is_kept(self, flow, tools, fails):
        tools("vitis-run", "vivado")
        fails("vsynth", "killed")
        with pytest.raises(SynthesisError):
            flow("vsynth")
        fails("vsynth", "none")
        assert flow("vsynth").lut == 20011
        assert flow.announced[0] == "csynth: already done"

    def test_products_of_an_older_run_are_not_taken_for_those_of_a_silent_failure(self, flow, tools, fails):
        tools("vitis-run", "vivado")
        flow("vsynth")
        fails("csynth", "silent")
        slower = dataclasses.replace(DEVICE, clock_period_ns=3.0)
        for _ in range(2):
            with pytest.raises(SynthesisError, match=r"ended csynth\.tcl without writing"):
                flow("vsynth", device=slower)
        assert not (flow.folder / STEPS["csynth"].products[0]).exists()

    def test_an_interrupt_reaches_the_tool(self, flow, tools, monkeypatch):
        tools("vitis-run")
        wait, started = subprocess.Popen.wait, []

        def interrupted(process, *arguments, **options):
            if not started:
                started.append(process)
                raise KeyboardInterrupt
            return wait(process, *arguments, **options)

        monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            flow()
        assert started[0].returncode is not None
        assert not (flow.folder / "logs" / "csynth.done").exists()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"stage": "route"}, "stage: unknown stage 'route'\n  remedy: use csynth, cosim, vsynth, impl"),
            (
                {"clock_uncertainty_percent": 100},
                "clock uncertainty: must be at least 0 and less than 100 %, not 100\n"
                "  remedy: use 27, as Vitis does, or another share of the clock period",
            ),
        ],
    )
    def test_settings(self, options, message):
        with pytest.raises(SynthesisError) as error:
            VendorSettings(**({"device": DEVICE, "stage": "csynth"} | options))
        assert str(error.value) == message

    @pytest.mark.parametrize("clock", [0, -1, float("nan"), float("inf")])
    def test_clock(self, clock):
        with pytest.raises(SynthesisError, match="clock: must be a positive number of ns"):
            Device(DEVICE.part, clock)

    def test_interval(self):
        with pytest.raises(SynthesisError, match="interval: must be at least 1, not 0"):
            Device(DEVICE.part, 2.5, 0)


#: Tcl that prints every unknown command with its arguments
ECHO = r"""
proc unknown {args} { puts [join $args " "] }
rename puts tcl_puts
proc puts {args} { tcl_puts "[expr {[llength $args] > 1 ? "write: " : ""}][lindex $args end]" }
rename glob tcl_glob
proc glob {args} { return "glob($args)" }
rename file tcl_file
proc file {args} { tcl_puts "file $args" }
rename open tcl_open
proc open {args} { tcl_puts "open $args"; return channel }
rename close tcl_close
proc close {args} {}
rename exit tcl_exit
proc exit {} { tcl_puts exit; tcl_exit 0 }
source [lindex $argv 0]
"""


@pytest.mark.skipif(shutil.which("tclsh") is None, reason="tclsh is not installed: the Tcl is not run")
@pytest.mark.parametrize("step", STEPS)
def test_the_tcl_runs_and_calls_what_it_should(step, tmp_path):
    (tmp_path / "settings.tcl").write_text(VendorSettings(DEVICE, "csynth").tcl())
    (tmp_path / "echo.tcl").write_text(ECHO)
    result = subprocess.run(
        ["tclsh", "echo.tcl", str(scripts_path() / f"{step}.tcl")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    check_golden(f"tcl_{step}.txt", result.stdout)


def test_every_step_has_its_script():
    assert {path.stem for path in scripts_path().glob("*.tcl")} == set(STEPS)

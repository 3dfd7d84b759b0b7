"""The vendor flow: C synthesis, co-simulation, logic synthesis, placement and routing with AMD's tools.

Everything is in the folder ``vendor`` of the build folder: sources, the Tcl of ``vivado_projects/``, ``settings.tcl``,
the tools' projects and ``logs``. A finished step is repeated only if its inputs have changed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.flows.build_folder import digest, write_if_changed
from nanopelican_hls.flows.report import RtlComparison, SynthesisReport, Timing, resources
from nanopelican_hls.flows.testbench import EVENTS_FILE
from nanopelican_hls.flows.vendor_project import SETTINGS, SOURCES, STEPS, TOP, VendorSettings, write_sources
from nanopelican_hls.flows.vendor_reports import (
    CosimReport,
    HlsClock,
    HlsSummary,
    TimingSummary,
    Utilisation,
    post_check,
)
from nanopelican_hls.flows.vendor_tools import HLS_TOOLS, VIVADO, Tool, find_tool, run_script

logger = logging.getLogger(__name__)

#: by stage, the design state in Vivado's reports, and our name for what it follows
DESIGN_STATES = {"vsynth": ("Synthesized", "logic synthesis"), "impl": ("Routed", "routing")}


@dataclass(frozen=True)
class VendorTools:
    """The tools that a stage needs."""

    hls: Tool
    vivado: Tool | None

    @classmethod
    def find(cls, settings: VendorSettings) -> VendorTools:
        """Find all tools; a SynthesisError if one is missing, before anything is started."""
        needs_vivado = any(not STEPS[step].hls for step in settings.steps)
        return cls(find_tool(HLS_TOOLS), find_tool((VIVADO,)) if needs_vivado else None)

    def of(self, step: str) -> Tool:
        return self.hls if STEPS[step].hls or self.vivado is None else self.vivado

    @property
    def versions(self) -> dict[str, str]:
        return {tool.kind.name: tool.version_text for tool in (self.hls, self.vivado) if tool}


def synthesise(
    program: Program,
    build: Path,
    settings: VendorSettings,
    ports: Mapping[str, NDArray[np.float64]],
    announce: Callable[[str], object],
) -> SynthesisReport:
    """Synthesise a program with AMD's tools.

    Parameters
    ----------
    program : Program
    build : path
        Build folder; the flow works in its subfolder ``vendor``.
    settings : VendorSettings
    ports : mapping of str to float64 array [n, ...]
        Events for the co-simulation, as for `csimulation.predict`; other stages ignore them.
    announce : callable
        Called with a message when a step starts.

    Raises
    ------
    SynthesisError
        If a tool is missing or too old (before anything is started), fails, or writes a report that cannot be read.
    """
    tools = VendorTools.find(settings)
    folder = build / "vendor"
    write_sources(program, folder, settings, ports if "cosim" in settings.steps else None)
    inputs = ""
    for step in settings.steps:
        inputs = run_step(step, folder, tools.of(step), inputs, announce)
    return collect(folder, settings, tools)


def run_step(step: str, folder: Path, tool: Tool, before: str, announce: Callable[[str], object]) -> str:
    """Run a step, unless it has finished with the same inputs; returns their digest, for the next step."""
    script, log = f"{step}.tcl", folder / "logs" / f"{step}.log"
    products = [folder / product for product in STEPS[step].products]
    done = folder / "logs" / f"{step}.done"
    patterns = (SETTINGS, "*.tcl", *SOURCES, *((EVENTS_FILE,) if step == "cosim" else ()))
    inputs = digest(folder, patterns, before, tool.kind.name, tool.version_text)
    if done.is_file() and done.read_text(encoding="ascii") == inputs and all(p.exists() for p in products):
        announce(f"{step}: already done")
        return inputs
    # results of an older run must not be taken for those of this one
    for path in (done, *products):
        path.unlink(missing_ok=True)
    announce(f"{step}: {tool.kind.name} {tool.version_text}, log in {log}")
    try:
        run_script(tool, script, folder, log, products)
    except SynthesisError:
        # a mismatch is a result, although the tool reports it as an error
        comparison = _comparison(log) if step == "cosim" else None
        if comparison is None or comparison.mismatches == 0:
            raise
        return inputs
    write_if_changed(done, inputs.encode())
    return inputs


def _comparison(log: Path) -> RtlComparison | None:
    return post_check(log.read_text(encoding="utf-8", errors="replace"))


def collect(folder: Path, settings: VendorSettings, tools: VendorTools) -> SynthesisReport:
    """Build the report from the files written by the steps."""
    device = settings.device
    summary_path, clock_path = (folder / product for product in STEPS["csynth"].products)
    summary, clock = HlsSummary.parse(summary_path), HlsClock.parse(clock_path)
    asked = (TOP, device.part.ordering_code, f"{device.clock_period_ns:.2f} ns")
    _check_origin(summary_path, (summary.top, summary.device, f"{clock.target_ns:.2f} ns"), asked)
    if summary.interval_cycles != device.interval:
        logger.warning("initiation interval is %s, but %d was requested", summary.interval_cycles, device.interval)
    _warn_of_slack(summary.slack_ns, f"Vitis HLS, with {settings.clock_uncertainty_percent:g} % reserved for routing")
    report = SynthesisReport(
        part=device.part.ordering_code,
        flow="vendor",
        stage=settings.stage,
        tool_versions=tools.versions,
        clock_period_ns=device.clock_period_ns,
        latency_cycles=summary.latency_cycles,
        initiation_interval=summary.interval_cycles,
        **resources(summary),
        timing=Timing(f"Vitis HLS {summary.version}, estimate of C synthesis", clock.estimated_ns),
    )
    if settings.stage == "cosim":
        return _with_cosim(report, folder)
    return _with_vivado(report, folder, settings) if tools.vivado else report


def _with_cosim(report: SynthesisReport, folder: Path) -> SynthesisReport:
    """Add the cycles of the simulation and the result of the test bench."""
    log, path = folder / "logs" / "cosim.log", folder / STEPS["cosim"].products[0]
    comparison = _comparison(log)
    if comparison is None:
        raise SynthesisError(
            "contains no test bench result for the RTL's outputs",
            where=str(log),
            remedy="run the stage again, and see the log",
        )
    if comparison.mismatches:
        return replace(report, rtl_vs_qonnx=comparison)
    cosim = CosimReport.parse(path)
    if not cosim.passed:
        raise SynthesisError("reports Fail, although the test bench passed", where=str(path), remedy=f"see {log}")
    return replace(
        report,
        latency_cycles=cosim.latency_cycles,
        initiation_interval=cosim.interval_cycles,
        rtl_vs_qonnx=comparison,
    )


def _with_vivado(report: SynthesisReport, folder: Path, settings: VendorSettings) -> SynthesisReport:
    """Replace resources and timing by those of Vivado; cycles remain those of Vitis HLS."""
    state, after = DESIGN_STATES[settings.stage]
    utilisation_path, timing_path = (folder / product for product in STEPS[settings.stage].products[:2])
    utilisation, slack = Utilisation.parse(utilisation_path), TimingSummary.parse(timing_path)
    found = (utilisation.design, utilisation.device, utilisation.state)
    _check_origin(utilisation_path, found, (TOP, report.part, state))
    source = f"Vivado {utilisation.version} after {after}, out of context"
    _warn_of_slack(slack.wns_ns, source)
    return replace(
        report,
        **resources(utilisation),
        carry=utilisation.carry8,
        timing=Timing(source, round(report.clock_period_ns - slack.wns_ns, 3)),
    )


def _warn_of_slack(slack_ns: float, source: str) -> None:
    if slack_ns < 0:
        logger.warning("the clock period is %g ns too short according to %s", -slack_ns, source)


def _check_origin(path: Path, found: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Refuse a report for another design, part, clock or state."""
    if [text.lower() for text in found] != [text.lower() for text in expected]:
        raise SynthesisError(
            f"is for {', '.join(found)}; expected {', '.join(expected)}",
            where=str(path),
            remedy="remove the folder and synthesise again",
        )

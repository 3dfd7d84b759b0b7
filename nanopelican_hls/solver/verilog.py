"""Proofs that generated Verilog computes what the operators define, for all inputs, when it says so."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.errors import SolverError
from nanopelican_hls.extras import require
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.particle_mask import ParticleMask
from nanopelican_hls.processes import YOSYS, run_child
from nanopelican_hls.rtl.project import Probe, RtlProject
from nanopelican_hls.solver.btor import Netlist, Part
from nanopelican_hls.solver.decide import Answer, Solver, Verdict
from nanopelican_hls.solver.integer import Integer, Space, both, choice, inputs_of
from nanopelican_hls.solver.proving import Progress, TensorProof, worse
from nanopelican_hls.solver.simulation import BitVectors, Integers, Place, Simulation, unsigned
from nanopelican_hls.solver.symbolic import Number, Numbers, reference, variables

if TYPE_CHECKING:
    import bitwuzla

#: of a bit that is no number
FLAG = FixedRange(0, 1, 0)
#: what is undefined, as a net without a driver, must not become what suits the optimiser: it may be anything
COMMANDS = (
    *("proc -noopt", "flatten", "setundef -undriven -anyseq", "opt -fine -keepdc"),
    *("async2sync", "dffunmap", "opt_clean", "memory_map"),
)


def verilog_netlist(project: RtlProject) -> Netlist:
    """A project as one flat netlist of words, by Yosys.

    Raises
    ------
    SolverError
        If Yosys is missing or fails.
    """
    require("pyosys", "a proof of Verilog", SolverError)
    folder = project.path / "proof"
    folder.mkdir(exist_ok=True)
    script, netlist, log = folder / "btor.ys", folder / "design.btor", folder / "yosys.log"
    netlist.unlink(missing_ok=True)
    sources = " ".join(f'"{path.resolve()}"' for path in project.sources)
    lines = [f"read_verilog -defer {sources}", f"hierarchy -top {project.top}", *COMMANDS, f"write_btor {netlist.name}"]
    script.write_text("\n".join([*lines, ""]), encoding="utf-8")
    with log.open("w", encoding="utf-8") as output:
        command = [sys.executable, "-c", YOSYS, script.name]
        status = run_child(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT).returncode
    if status or not netlist.is_file():
        raise SolverError("Yosys cannot read the Verilog", where=str(project.path), remedy=f"see {log}")
    return Netlist.parse(netlist.read_text(encoding="utf-8"))


def prove_verilog(
    program: Program, project: RtlProject, netlist: Netlist, limit_s: float, progress: Progress
) -> list[TensorProof]:
    """Prove every tensor that exists as nets, the outputs, and ``valid``.

    ``start`` comes with an event, and not in the cycles before it that would make it early. Registers may hold anything
    at first, so that the event may come after any others, and whatever is at the ports in any other cycle, ``start``
    included, may be anything. For ``valid`` alone the design is reset in the cycle before. Each element is compared
    with what the operators define, in the cycle in which the project says that it is on its net. Then its net is a free
    variable, for all values of its range, so that each layer is proved by itself from those that it reads.

    Parameters
    ----------
    program : Program
    project : RtlProject
        With control and probes.
    netlist : Netlist
        Of the project.
    limit_s : float
        Time for one statement, in seconds.
    progress : callable
        Called before each tensor with its name.
    """
    proof = _Proof(program, project, netlist, limit_s)
    shown = {probe.port.tensor: probe for probe in project.probes}
    proofs = []
    for node in program.nodes:
        progress(node.output)
        if node.inputs[0] in program.ranges:  # not the quantiser of a port
            proof.define(node)
            if node.output in shown:
                proofs.append(proof.show(node, shown[node.output]))
    return [*proofs, *(proof.output(port.tensor) for port in project.outputs), proof.valid()]


@dataclass(frozen=True)
class _Bits:
    """Bits of a port in a clock cycle, what they must be, what is below their grid (0), and what they can hold."""

    port: str
    low: int
    width: int
    cycle: int
    expected: Integer
    rest: Integer | None = None
    range: FixedRange = FLAG


class _Proof:
    """The tensors as the operators define them, and the design with those that were compared as free variables."""

    def __init__(self, program: Program, project: RtlProject, netlist: Netlist, limit_s: float) -> None:
        self.program, self.project, self.netlist = program, project, netlist
        self.space = Space(folds=True)
        self.solver, self.limit_s = Solver(self.space, limit_s), limit_s
        self.tensors = {port.tensor: variables(program, self.space, port.tensor) for port in program.inputs}
        self._check_ports()
        #: clock cycle with ``start``; in those before it there is no other that would make it early
        self.start = max(1, project.interval - 1)
        self.known: dict[Place, Integer] = self._event()
        self.words = self.solver.words()
        self.vectors = Simulation(netlist, BitVectors(self.words), self.space, self.known)
        self.polynomials = Integers()
        self.integers = Simulation(netlist, self.polynomials, self.space, self.known)

    def _check_ports(self) -> None:
        """A port that is missing or too narrow would be read as other bits."""
        shown = [*self.project.outputs, *(probe.port for probe in self.project.probes)]
        expected = {"valid": 1, "early": 1} | {port.name: port.width for port in shown}
        found = {name: self.netlist.cells[number].width for name, number in self.netlist.outputs.items()}
        expected |= {"rst": 1, "start": 1}
        found |= {name: self.netlist.cells[number].width for name, number in self.netlist.inputs.items()}
        for port in self.project.inputs:
            if port.tensor in found:  # something reads it
                expected[port.tensor] = port.bits * self.project.arrival.lanes(port)
        for name, width in expected.items():
            if found.get(name) != width:
                raise SolverError(
                    f"has {found.get(name, 0)} bits, not {width}",
                    where=f"port {name} of {self.project.top}",
                    remedy="its Verilog is not that of the project: generate it anew",
                )

    def _control(self, reset: bool) -> dict[Place, Integer]:
        """``rst`` and ``start`` with an event and while it is under way; before it, a reset, or no other ``start``."""
        inputs, zero, one = self.netlist.inputs, self.space.constant(0), self.space.constant(1)
        known = {(inputs["start"], self.start): one}
        known |= {(inputs["rst"], self.start + cycle): zero for cycle in range(self.project.latency_cycles + 2)}
        before = range(self.start - (self.project.interval - 1), self.start)
        known |= {(inputs[flag], cycle): zero for flag in ("rst", "start") for cycle in before}
        return known | {(inputs["rst"], self.start - 1): one} if reset else known

    def _event(self) -> dict[Place, Integer]:
        """What is at the ports in the cycles in which they are read; in all others it may be anything."""
        arrival, inputs, known = self.project.arrival, self.netlist.inputs, self._control(reset=False)
        for port in self.project.inputs:
            if port.tensor not in inputs:  # nothing reads it
                continue
            lanes = arrival.lanes(port)
            values = self.tensors[port.tensor].integers(port.exponent)
            for beat, first in enumerate(range(0, len(values), lanes)):
                word = self.space.constant(0)
                for lane in range(lanes):
                    free = f"{port.tensor}, place {lane} of beat {beat}"
                    value = (
                        values[first + lane]
                        if first + lane < len(values)
                        else self.space.input(free, 0, (1 << port.bits) - 1)
                    )
                    word = word + value.modulo(port.bits) * (1 << (port.bits * lane))
                known[inputs[port.tensor], self.start + beat] = word
        return known

    def define(self, node: Node) -> None:
        """Add a tensor as its operator defines it."""
        self.tensors[node.output] = reference(self.program, node, self.tensors, self.space)

    def show(self, node: Node, probe: Probe) -> TensorProof:
        """Compare a tensor with its nets, and let these be variables."""
        port, tensor = probe.port, node.output
        defined = self.tensors[tensor]
        values = defined.integers(port.exponent)
        finer = (
            [x - x.floor(-shift) * (1 << -shift) for x in defined.integers(port.exponent + shift)]
            if (shift := self.program.exponent(tensor) - port.exponent) < 0
            else [self.space.constant(0)] * len(values)
        )
        places = [
            _Bits(
                port.name,
                k * port.bits,
                port.bits,
                self.start + 1 + cycle,
                self._padded(probe, k, value),
                rest,
                port.range,
            )
            for k, (cycle, value, rest) in enumerate(zip(probe.cycles, values, finer, strict=True))
        ]
        proof = self._compare(tensor, node.operator.name, places)
        kept = [self._cut(probe, k, place, value) for k, (place, value) in enumerate(zip(places, values, strict=True))]
        array = np.empty(len(kept), dtype=object)
        array[:] = [Number(x, port.exponent) for x in kept]
        self.tensors[tensor] = Numbers(self.space, array.reshape(1, *self.program.shapes[tensor]))
        return proof

    def output(self, tensor: str) -> TensorProof:
        """Compare an output of the QONNX file with its port in the cycle of ``valid``."""
        port = next(port for port in self.project.outputs if port.tensor == tensor)
        cycle = self.start + 1 + self.project.latency_cycles
        values = self.tensors[tensor].integers(port.exponent)
        places = [
            _Bits(port.name, k * port.bits, port.bits, cycle, value, range=port.range) for k, value in enumerate(values)
        ]
        return self._compare(f"{tensor} at the port", "output", places)

    def valid(self) -> TensorProof:
        """After a reset, ``valid`` is 1 with the outputs, and not before; ``early`` is 0 with the event."""
        self.known.clear()
        self.known |= self._control(reset=True)
        self.vectors.forget()
        self.integers.forget()
        latency, constant = self.project.latency_cycles, self.space.constant
        places = [
            _Bits("valid", 0, 1, self.start + 1 + cycle, constant(int(cycle == latency)))
            for cycle in range(-1, latency + 1)
        ]
        places.append(_Bits("early", 0, 1, self.start + 1, constant(0)))
        return self._compare("valid", "control", places)

    def _compare(self, tensor: str, operator: str, places: Sequence[_Bits]) -> TensorProof:
        start, solved = time.monotonic(), 0
        verdict, reason, counterexample, proved = Verdict.PROVED, "", None, 0
        for element, place in enumerate(places):
            answer = self._equal(place)
            solved += not answer.by_normal_form
            proved += answer.verdict is Verdict.PROVED
            if answer.verdict is not Verdict.PROVED:
                verdict = worse(verdict, answer)
                reason = reason or f"element {element}: {answer.reason or 'differs'}"
                counterexample = counterexample or answer.counterexample
        seconds = time.monotonic() - start
        return TensorProof(tensor, operator, len(places), verdict, proved, solved, seconds, reason, counterexample)

    def _equal(self, place: _Bits) -> Answer:
        """Whether bits of the design are what they must be."""
        parts = self.netlist.parts(self.netlist.outputs[place.port], place.low, place.width)
        cone = set().union(*(self.vectors.cone(part.number, place.cycle) for part in parts))
        if (
            place.rest is not None
            and self.solver.equal(place.rest, self.space.constant(0)).verdict is not Verdict.PROVED
        ):
            return Answer(Verdict.UNPROVED, reason="its grid in the design is too coarse, or may be")
        if self.solver.within(place.expected, place.range.low, place.range.high).verdict is not Verdict.PROVED:
            return Answer(Verdict.UNPROVED, reason=f"its {place.width} bits in the design are too few, or may be")
        multiplies = self._multiplies(cone)
        answer = self._equal_integers(place, parts, only_hidden=not multiplies)
        if answer.verdict is Verdict.UNPROVED and not multiplies:
            answer = self._equal_vectors(place, parts)
        if answer.verdict is not Verdict.REFUTED:
            return answer
        own = inputs_of(place.expected)
        foreign = self._read_in(cone) - own
        if foreign and not self._differs_whatever(place, parts, answer, own):
            names = ", ".join(sorted(foreign)[:3])
            return Answer(Verdict.UNPROVED, reason=f"its nets read more than its inputs: {names}")
        return answer

    def _differs_whatever(self, place: _Bits, parts: Sequence[Part], answer: Answer, own: AbstractSet[str]) -> bool:
        """Whether a counterexample is one for all values of what the layer should not read.

        These cannot all be taken together with its inputs, if they are what its inputs are computed from.
        """
        fixed = {name: value for name, value in (answer.counterexample or {}).items() if name in own}
        found, expected = self._words_of(place, parts)
        return self.solver.always_differ(self.words, found, expected, fixed).verdict is Verdict.PROVED

    def _equal_integers(self, place: _Bits, parts: Sequence[Part], *, only_hidden: bool) -> Answer:
        word, low = self.space.constant(0), 0
        self.polynomials.deadline = time.monotonic() + self.limit_s
        try:
            for part in parts:
                value = self.integers.value(part.number, place.cycle).floor(part.low)
                word, low = word + unsigned(value, part.width) * (1 << low), low + part.width
        except TimeoutError:
            return Answer(Verdict.UNPROVED, reason=f"its polynomials take more than {self.limit_s:g} s")
        return self.solver.equal(place.expected.modulo(place.width), word.modulo(place.width), only_hidden=only_hidden)

    def _equal_vectors(self, place: _Bits, parts: Sequence[Part]) -> Answer:
        return self.solver.agree(self.words, *self._words_of(place, parts))

    def _words_of(self, place: _Bits, parts: Sequence[Part]) -> tuple[bitwuzla.Term, bitwuzla.Term]:
        """What is in the design, and what is expected there."""
        vectors = [self._extracted(part, place.cycle) for part in parts]
        found = self.words.term("BV_CONCAT", *reversed(vectors)) if len(vectors) > 1 else vectors[0]
        return found, self.words.resized(*self.words.integer(place.expected), place.width)

    def _extracted(self, part: Part, cycle: int) -> bitwuzla.Term:
        vector = self.vectors.value(part.number, cycle)
        return self.words.term("BV_EXTRACT", vector, part.low + part.width - 1, part.low)

    def _multiplies(self, cone: set[Place]) -> bool:
        """Whether two numbers are multiplied of which none is constant."""
        cells = self.netlist.cells
        return any(
            cells[n].operator == "mul" and all(cells[a].operator != "const" for a in cells[n].operands)
            for n, cycle in cone
            if (n, cycle) not in self.known
        )

    def _read_in(self, cone: set[Place]) -> set[str]:
        """Names of the variables from which a part of the design is computed."""
        found: set[str] = set()
        for number, cycle in cone:
            if (number, cycle) in self.known:
                found |= inputs_of(self.known[number, cycle])
            elif self.netlist.cells[number].operator in ("input", "state") and not self.vectors.read_by(
                (number, cycle)
            ):
                found.add(f"net {number} in cycle {cycle}")
        return found

    def _cut(self, probe: Probe, k: int, place: _Bits, value: Integer) -> Integer:
        """Let an element's nets be a variable, and return it; or its value, where they may be unable to hold that."""
        netlist, low, cut = self.netlist, 0, {}
        for part in netlist.parts(netlist.outputs[place.port], place.low, place.width):
            cut[low], low = part, low + part.width
        bits = self._extended(cut, signed=probe.port.signed)
        parts = {low: part for low, part in cut.items() if low < bits}
        is_free = all(netlist.cells[part.number].operator != "const" for part in parts.values())
        if value.value is not None or not is_free or _overlap(list(parts.values())):
            return value
        holds = replace(probe.port, bits=bits).range
        if self.solver.within(value, holds.low, holds.high).verdict is not Verdict.PROVED:
            return value
        name = f"{probe.port.tensor}[{k}]"
        variable = self.space.input(name, max(holds.low, value.low), min(holds.high, value.high))
        word, known = self._padded(probe, k, variable), {}
        for low, part in parts.items():
            whole = Part(part.number, 0, netlist.cells[part.number].width)
            for number, inner in [(part.number, whole), *netlist.slices.get(part.number, [])]:
                if part.low <= inner.low and inner.low + inner.width <= part.low + part.width:
                    known[number, place.cycle] = word.floor(low + inner.low - part.low).modulo(inner.width)
        if known.keys() & self.known.keys():
            return value
        self.known |= known
        self.vectors.forget()
        self.integers.forget()
        return variable

    def _extended(self, parts: Mapping[int, Part], *, signed: bool) -> int:
        """The bits of a word without those that are copies of its sign, or 0 if it has none."""
        bits = max(low + part.width for low, part in parts.items())
        for low in sorted(parts, reverse=True):
            part, below = parts[low], [parts[b] for b in sorted(parts) if b < low]
            if not below:
                break
            top = below[-1]
            sign = Part(top.number, top.low + top.width - 1, 1)
            cell = self.netlist.cells[part.number]
            is_zero = cell.operator == "const" and not (cell.value >> part.low) & ((1 << part.width) - 1)
            if not (part == sign if signed else is_zero):
                break
            bits = low
        return bits

    def _padded(self, probe: Probe, k: int, value: Integer) -> Integer:
        """An element as the design has it: it may have another value for padded particles, and pairs with one."""
        if probe.padding is None:
            return value
        shape, valid = self.program.shapes[probe.port.tensor], self._mask()
        entry = k // math.prod(shape[1:])
        if probe.padding.of_pairs:
            first, second = np.triu_indices(len(valid), 1)
            entry %= len(first)
            is_valid = both(valid[first[entry]], valid[second[entry]])
        else:
            is_valid = valid[entry]
        return choice(is_valid, value, self.space.constant(int(probe.padding.value / 2.0**probe.port.exponent)))

    def _mask(self) -> list[Integer]:
        (mask,) = {node.output for node in self.program.nodes if isinstance(node.operator, ParticleMask)}
        return self.tensors[mask].integers(0)


def _overlap(parts: Sequence[Part]) -> bool:
    """Whether a bit occurs in two of these."""
    bits = [(part.number, part.low + bit) for part in parts for bit in range(part.width)]
    return len(set(bits)) < len(bits)

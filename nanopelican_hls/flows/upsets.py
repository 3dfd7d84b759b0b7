"""Single-event upsets: bits flip in the simulated RTL, or in the parameters of the integer graph (docs/upsets.md)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import RtlError
from nanopelican_hls.evaluation.metrics import binomial_error
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.flows.verilator import UPSET, Register, Stimulus, record, registers
from nanopelican_hls.operators.decision import Decision
from nanopelican_hls.rtl.project import SOURCES, RtlProject
from nanopelican_hls.rtl.verilog import REPORT

#: the output that decides (topology/result.py)
DECISION = "accept"
#: clock cycles after those in which an upset can have effects, so that longer ones are noticed
MARGIN_CYCLES = 4
#: an instance in the top module: its module, its parameters, its name
INSTANCE = re.compile(r"^\s+(?:\(\*.*?\*\) )?(\w+) (?:#\((.+?)\) )?(u_\w+) \(\.clk", re.MULTILINE)
#: groups of bits by place in the word
TOP, UPPER, LOWER = "top bit", "upper half", "lower half"

Arrays = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Share:
    """How many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        return self.count / self.of

    @property
    def error(self) -> float:
        """Binomial; where none or all are counted, that of one more or less."""
        inner = min(max(self.count, 1), max(self.of - 1, 1))
        return binomial_error(inner / self.of, self.of)

    def as_json(self) -> dict[str, Any]:
        return {"count": self.count, "of": self.of, "share": self.value, "error": self.error}


@dataclass(frozen=True)
class Flip:
    """A bit of the hardware's state: its register's place among all, and the bit of its word, 0 the lowest."""

    register: int
    bit: int
    position: int
    word: int

    @property
    def group(self) -> str:
        if self.position == self.word - 1:
            return TOP
        return UPPER if 2 * self.position >= self.word else LOWER


@dataclass(frozen=True)
class Place:
    """A class of registers, by what they are for.

    Attributes
    ----------
    name : the part of the hardware, as in the report of the mapping; registers of ports, and control, are apart.
    bits : all bits of its registers.
    """

    name: str
    bits: tuple[Flip, ...]


@dataclass(frozen=True)
class PlaceUpsets:
    """What upsets of a place did; each share is one of upsets.

    Attributes
    ----------
    place : name of the place.
    bits : number of its bits.
    wrong : at least one event had another result, its logit or its decision.
    changed : at least one event had another decision.
    lost : at least one event had no result in its cycle.
    spurious : ``valid`` was 1 in a cycle without a result.
    changed_by_group, changed_by_bit : `changed`, by group of bits, and by position in the word.
    cycles : most clock cycles from an upset to the last wrong output.
    """

    place: str
    bits: int
    wrong: Share
    changed: Share
    lost: Share
    spurious: Share
    changed_by_group: Mapping[str, Share]
    changed_by_bit: Mapping[int, Share]
    cycles: int

    def as_json(self) -> dict[str, Any]:
        shares = {name: getattr(self, name).as_json() for name in ("wrong", "changed", "lost", "spurious")}
        by = {
            "changed_by_group": {name: share.as_json() for name, share in self.changed_by_group.items()},
            "changed_by_bit": {str(bit): share.as_json() for bit, share in self.changed_by_bit.items()},
        }
        return {"place": self.place, "bits": self.bits, **shares, **by, "cycles": self.cycles}


def find_places(project: RtlProject) -> list[Place]:
    """The registers of a project compiled with ``upsets``, by place."""
    top = project.top if project.tmr != "all" else f"{project.top}_copy"
    text = (project.path / SOURCES / f"{top}.v").read_text(encoding="utf-8")
    instances = {name: (module, parameters) for module, parameters, name in INSTANCE.findall(text)}
    places: dict[str, list[Flip]] = defaultdict(list)
    for k, register in enumerate(registers(project)):
        name = next((part for part in register.name.split(".") if part in instances), None)
        if name is None:
            raise RtlError("is in no instance of the top module", where=register.name, remedy=REPORT)
        module, parameters = instances[name]
        word = _word(register, module, parameters)
        flips = [Flip(k, bit, bit % word, word) for bit in range(register.bits)]
        places[_place(name, module, project.parts)] += flips
    return [Place(name, tuple(flips)) for name, flips in sorted(places.items())]


def _word(register: Register, module: str, parameters: str) -> int:
    """Bits of a word: those of a shift register hold several."""
    if module == "nanopelican_control":
        return 1
    width = re.search(r"\.WIDTH\((\d+)\)", parameters) if module == "nanopelican_delay" else None
    return int(width[1]) if width else register.bits


def _place(instance: str, module: str, parts: Mapping[str, str]) -> str:
    if module == "nanopelican_delay" and not re.search(r"_d\d+$", instance):
        return "input" if instance.endswith("_in") else "output"
    return parts[module]


def state_upsets(
    project: RtlProject,
    tensors: Arrays,
    count: int,
    seed: int = 1,
    progress: Callable[[str], object] = lambda _: None,
) -> list[PlaceUpsets]:
    """Flip bits of each place, one at a time and far apart, while events come as often as the hardware takes them.

    Parameters
    ----------
    project : RtlProject
        After `compile_simulation` with ``upsets``; one output is the decision.
    tensors : mapping of str to float64 array [n, ...]
        Inputs, on their grids; used again from the first on.
    count : int
        Upsets of each place, of bits and cycles drawn at random.
    seed : int
    progress : callable
        Called with the name of each place before its simulation.

    Raises
    ------
    RtlError
        As for `record`; or an upset still had effects when the next one came.
    """
    period = project.latency_cycles + 2 * project.interval + MARGIN_CYCLES
    events = -(-(count + 2) * period // project.interval)
    stimulus = Stimulus.regular(events, project.interval)
    chosen = np.arange(events) % len(next(iter(tensors.values())))
    given = {port.tensor: tensors[port.tensor][chosen] for port in project.inputs}
    control = stimulus.control(int(stimulus.starts[-1]) + 1, project.beats)
    right = record(project, given, control)
    found = []
    for k, place in enumerate(find_places(project)):
        progress(place.name)
        rng = np.random.default_rng((seed, k))
        flips = [place.bits[j] for j in rng.integers(0, len(place.bits), count)]
        cycles = (1 + np.arange(count)) * period + rng.integers(0, project.interval, count)
        upsets = np.array([(c, f.register, f.bit) for c, f in zip(cycles, flips, strict=True)], dtype=UPSET)
        seen = record(project, given, control, upsets)
        found.append(_counted(project, place, flips, cycles, right, seen))
    return found


def _counted(
    project: RtlProject,
    place: Place,
    flips: Sequence[Flip],
    cycles: NDArray[np.int64],
    right: Arrays,
    seen: Arrays,
) -> PlaceUpsets:
    due, valid = right["valid"][:, 0] == 1, seen["valid"][:, 0] == 1
    results = [port.name for port in project.outputs]
    both = due & valid
    effects = {
        "wrong": both & np.any([(right[name] != seen[name]).any(axis=1) for name in results], axis=0),
        "changed": both & (right[DECISION] != seen[DECISION]).any(axis=1),
        "lost": due & ~valid,
        "spurious": valid & ~due,
        "early": (right["early"] != seen["early"]).any(axis=1),
    }
    when = np.flatnonzero(np.any(list(effects.values()), axis=0))
    of = np.searchsorted(cycles, when, side="right") - 1
    after = when - cycles[of]
    longest = int(after.max(initial=0))
    if (of < 0).any() or longest > project.latency_cycles + project.interval:
        raise RtlError(
            f"had effects {longest} cycles later, when the next upset was near", where=place.name, remedy=REPORT
        )
    hit = {
        name: np.bincount(np.searchsorted(cycles, np.flatnonzero(cycle), side="right") - 1, minlength=len(flips)) > 0
        for name, cycle in effects.items()
    }
    groups = np.array([flip.group for flip in flips])
    positions = np.array([flip.position for flip in flips])
    changed = hit["changed"]
    return PlaceUpsets(
        place=place.name,
        bits=len(place.bits),
        **{name: Share(int(hit[name].sum()), len(flips)) for name in ("wrong", "changed", "lost", "spurious")},
        changed_by_group={
            group: Share(int(changed[groups == group].sum()), int((groups == group).sum()))
            for group in (TOP, UPPER, LOWER)
            if (groups == group).any()
        },
        changed_by_bit={
            int(bit): Share(int(changed[positions == bit].sum()), int((positions == bit).sum()))
            for bit in np.unique(positions)
        },
        cycles=longest,
    )


def of_any_bit(found: Sequence[PlaceUpsets], effect: str) -> tuple[float, float]:
    """Share of upsets with an effect if all bits of all places are hit alike, and its error."""
    bits = np.array([each.bits for each in found], dtype=np.float64)
    shares: list[Share] = [getattr(each, effect) for each in found]
    weights = bits / bits.sum()
    value = float(weights @ [share.value for share in shares])
    return value, float(np.sqrt(weights**2 @ np.array([share.error for share in shares]) ** 2))


@dataclass(frozen=True)
class ConstantUpsets:
    """What flipped bits of a parameter did, each for as long as all jets took; shares are of jets.

    Attributes
    ----------
    tensor : the parameter, or the table.
    elements, bits : its number of elements, and bits of each in two's complement.
    changed : share of jets whose decision changes, mean over all bits of all elements; `error` is that of the jets.
    changed_by_bit : the same for each bit, the lowest first.
    most : of the worst bit.
    wrong : share of jets with another result.
    """

    tensor: str
    elements: int
    bits: int
    changed: float
    error: float
    changed_by_bit: tuple[float, ...]
    most: float
    wrong: float


def constant_upsets(
    program: Program, tensors: Arrays, progress: Callable[[str], object] = lambda _: None
) -> list[ConstantUpsets]:
    """Flip each bit of each parameter and table in the integer graph.

    Parameters
    ----------
    program : Program
        One output is the decision.
    tensors : mapping of str to float64 array [n, ...]
        All activations, of QONNX execution.
    progress : callable
        Called with the name of each tensor before it is done.
    """
    found = []
    for tensor in dict.fromkeys(name for node in program.nodes for name in node.parameters.values()):
        progress(tensor)
        values = program.constants[tensor]
        bits, signed, exponent = _type(program, tensor)
        codes = np.ldexp(values, -exponent).astype(np.int64).ravel()
        shape = (len(codes), bits, len(tensors[DECISION]))
        changed, wrong = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        for k, code in enumerate(codes):
            for bit in range(bits):
                other = codes.copy()
                other[k] = flipped(int(code), bit, bits, signed)
                wrong_values = np.ldexp(other.astype(np.float64), exponent).reshape(values.shape)
                result = rerun(program, tensors, {tensor: wrong_values})
                changed[k, bit] = _differs(result, tensors, [DECISION])
                wrong[k, bit] = _differs(result, tensors, [port.tensor for port in program.outputs])
        of_jets = changed.mean(axis=(0, 1))
        found.append(
            ConstantUpsets(
                tensor=tensor,
                elements=len(codes),
                bits=bits,
                changed=float(of_jets.mean()),
                error=float(of_jets.std() / np.sqrt(len(of_jets))),
                changed_by_bit=tuple(map(float, changed.mean(axis=(0, 2)))),
                most=float(changed.mean(axis=2).max()),
                wrong=float(wrong.mean()),
            )
        )
    return found


def _type(program: Program, tensor: str) -> tuple[int, bool, int]:
    """Bits, sign and exponent of a constant: those of its quantiser, or of the narrowest type that holds it.

    A threshold has the type of what it is compared with.
    """
    if tensor in program.parameter_quantisers:
        quantiser = program.parameter_quantisers[tensor]
        return quantiser.bits, quantiser.signed, quantiser.exponent
    values = FixedRange.of_values(program.constants[tensor])
    for node in program.nodes:
        if isinstance(node.operator, Decision) and tensor in node.inputs:
            values = FixedRange.union([values, *(program.ranges[name] for name in node.activations.values())])
    return values.bits, values.signed, values.exponent


def flipped(code: int, bit: int, bits: int, signed: bool) -> int:
    """An integer with one bit of its two's complement flipped."""
    word = (code % (1 << bits)) ^ (1 << bit)
    return word - (1 << bits) if signed and word >> (bits - 1) else word


def rerun(program: Program, tensors: Arrays, constants: Arrays) -> dict[str, NDArray[np.float64]]:
    """The activations of a program that change with its constants, by the operators alone.

    Parameters
    ----------
    program : Program
    tensors : mapping of str to float64 array [n, ...]
        All activations, with the program's own constants.
    constants : mapping of str to float64 array
        The constants in place of those of the same names.
    """
    changed: dict[str, NDArray[np.float64]] = {}
    known = {**program.constants, **tensors, **constants}
    for node in program.nodes:
        if any(name in constants or name in changed for name in node.inputs):
            inputs = [None if name is None else known[name] for name in node.inputs]
            changed[node.output] = node.operator.compute(*inputs)
            known[node.output] = changed[node.output]
    return changed


def _differs(result: Arrays, tensors: Arrays, names: Sequence[str]) -> NDArray[np.bool_]:
    jets = len(tensors[DECISION])
    differs = [(result[name] != tensors[name]).reshape(jets, -1).any(axis=1) for name in names if name in result]
    return np.any(differs, axis=0) if differs else np.zeros(jets, dtype=bool)

"""Instances of pieces and the nets between them; early values are delayed in shift registers."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.rtl.piece import Number, Piece, trace_piece
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.symbolic import Symbolic
from nanopelican_hls.rtl.triplication import COPIES, KEPT, voter


@dataclass(frozen=True)
class Word:
    """A number on a net: its name, its type, and when it is ready.

    A net may have other numbers in the clock cycles that follow: those of other particles or pairs of the same event.
    They differ in the `phase`, the clock cycle after the first one's; `time` is that of the first. A number without a
    phase exists once an event: in the cycle of `time` only, unless it is `held` for all phases.
    """

    net: str
    number: Number
    time: Time
    phase: int | None = None
    held: bool = False

    @property
    def cycle(self) -> int:
        """The clock cycle in which it is on its net."""
        return self.time.cycle + (self.phase or 0)


#: a number in the design; floats are constants, which need no net
Value = Word | float


@dataclass(frozen=True)
class Instance:
    """An instance: its module with parameters, its name, and the nets connected to its ports."""

    module: str
    name: str
    nets: Mapping[str, str]
    parameters: Mapping[str, int] = field(default_factory=dict)

    def verilog(self) -> str:
        parameters = ", ".join(f".{name}({_literal(value)})" for name, value in self.parameters.items())
        ports = ", ".join(f".{port}({net})" for port, net in (("clk", "clk"), *self.nets.items()))
        return f"{self.module} {f'#({parameters}) ' if parameters else ''}{self.name} ({ports});"


def _literal(value: int) -> str:
    """An unsized number may be truncated to 32 bits (IEEE 1364-2005, 3.5.1)."""
    magnitude = str(abs(value)) if abs(value) < 2**31 else f"{abs(value).bit_length() + 1}'sd{abs(value)}"
    return f"-{magnitude}" if value < 0 else magnitude


@dataclass(frozen=True)
class Part:
    """What a module is part of.

    Attributes
    ----------
    name : its name in reports; variants of a piece share one.
    node : output tensor of the node that it computes, entirely or in part; None for modules used by many nodes.
    """

    name: str
    node: str | None = None


#: modules written by hand (firmware/templates)
HAND_WRITTEN = {
    f"nanopelican_{name}": Part(name)
    for name in ("product", "booth", "register", "delay", "ring", "accumulator", "control")
}
#: the event flag: 1 in the cycle in which an event's inputs are in their registers
START = Word("start_in", Number(FixedRange(0, 1, 0), 1, False), Time(0, 0.0))
#: the event flag before its register
ACCEPTED = "accepted"
#: a DSP's input that comes straight from the one before: copies have cascades of their own
CASCADE = "pcin"
#: levels of logic of the multiplexer in front of a register, and of the addition in front of an accumulator
LOAD_LEVELS, ADDER_LEVELS = 0.5, 1.2


def is_control(net: str) -> bool:
    """Whether it is the event flag, delayed or not; reset clears its shift registers."""
    return net == START.net or net.startswith(f"{START.net}_d")


def in_phase(row: Iterable[Value], phase: int | None) -> list[Value]:
    """A row of values, in a phase."""
    return [
        dataclasses.replace(value, phase=phase) if isinstance(value, Word) and not value.held else value
        for value in row
    ]


class Netlist:
    """A design under construction.

    Parameters
    ----------
    prefix : str
        Prefix of module names.
    levels : float
        Levels of logic between two registers.
    """

    def __init__(self, prefix: str, levels: float) -> None:
        self.prefix, self.levels = prefix, levels
        self.pieces: dict[str, Piece] = {}
        #: what each module is part of
        self.parts: dict[str, Part] = dict(HAND_WRITTEN)
        #: output of the node whose hardware is being added
        self.node: str | None = None
        self.instances: list[Instance] = []
        #: modules of which each instance stands in three copies
        self.triplicated: frozenset[str] = frozenset()
        self.wires: dict[str, int] = {START.net: 1}
        self.assignments: list[str] = []
        #: what the registers of inputs, and of the event flag, take in the cycle before
        self.unregistered = {START.net: ACCEPTED}
        self._delays: dict[str, set[int]] = defaultdict(set)
        self._traced: dict[tuple[object, ...], str] = {}
        self._rings: dict[tuple[object, ...], list[Word]] = {}
        self._named: set[str] = set()

    def lanes(
        self,
        name: str,
        lanes: Sequence[Sequence[Value]],
        compute: Callable[[Symbolic], Symbolic],
        not_before: int = 0,
    ) -> list[list[Value]]:
        """Add one function of many rows, all in the same clock cycles; rows of equal types share a module.

        Rows that are on the same nets in other phases share an instance.

        Parameters
        ----------
        name : str
            Name of the modules and instances, used once.
        lanes : sequence of sequence of Value
            Rows [n]; corresponding elements have the same meaning in each.
        compute : callable
            From a row [1, n] of symbolic numbers to a row [1, m].
        not_before : int
            Clock cycle before which no result is needed: the shared inputs are delayed, not the results of each lane.

        Returns
        -------
        list of list of Value
            Rows [m].
        """
        assert name not in self._named, f"{name} names two functions"  # a module is made for the times of its first use
        self._named.add(name)
        distinct, uses = self.folded(lanes)
        arrivals = [
            max([Time(not_before, 0.0), *(v.time for v in column if isinstance(v, Word))])
            for column in zip(*distinct, strict=True)
        ]
        placed = [
            self._place(name, f"{name}_{k}" if len(distinct) > 1 else name, lane, arrivals, compute)
            for k, lane in enumerate(distinct)
        ]
        return [in_phase(placed[k], phase) for k, phase in uses]

    def folded(self, rows: Sequence[Sequence[Value]]) -> tuple[list[list[Value]], list[tuple[int, int | None]]]:
        """Rows that differ in their nets, without phase, and for each given row its place among them and its phase."""
        places: dict[tuple[Value, ...], int] = {}
        uses = []
        for row in rows:
            phases = {value.phase for value in row if isinstance(value, Word) and value.phase is not None}
            assert len(phases) <= 1, f"{row} is never there at once"
            phase = phases.pop() if phases else None
            lane = row if phase is None else [self.held(v) if isinstance(v, Word) else v for v in row]
            place = places.setdefault(tuple(in_phase(lane, None)), len(places))
            uses.append((place, phase))
        return [list(row) for row in places], uses

    def held(self, word: Word) -> Word:
        """A number that exists once an event, for all phases; others are held already or have phases."""
        if word.held or word.phase is not None:
            return word
        ((held,),) = self.ring([[word]], turning=0, step=0)
        assert isinstance(held, Word)
        return dataclasses.replace(held, held=True)

    def ring(
        self, rows: Sequence[Sequence[Value]], turning: int, step: int, *, cyclic: bool = True
    ) -> list[list[Value]]:
        """Registers that take all rows at once, and then turn.

        Parameters
        ----------
        rows : sequence of sequence of Value
            What is at each place, in the same types.
        turning : int
            The first places turn: in each cycle the row at place p moves to place p - step. The others stay.
        step : int
        cyclic : bool
            Whether what leaves the first places comes in again at the last ones.

        Returns
        -------
        list of list of Value
            What is at each place in the first phase.
        """
        load = self._load([value for row in rows for value in row if isinstance(value, Word)])
        columns = [self._ring(list(column), load, turning, step, cyclic) for column in zip(*rows, strict=True)]
        return [list(row) for row in zip(*columns, strict=True)]

    def _load(self, words: Sequence[Word]) -> int:
        """The cycle in which a ring takes these numbers."""
        if all(word.net in self.unregistered and word.phase is None for word in words):
            return -1  # it takes the place of the input registers
        return max(word.cycle + (word.time.level + LOAD_LEVELS > self.levels) for word in words)

    def _ring(self, column: list[Value], load: int, turning: int, step: int, cyclic: bool) -> list[Value]:
        words = [value for value in column if isinstance(value, Word)]
        if not words:
            return column
        key = (tuple(column), load, turning, step, cyclic)
        if key not in self._rings:
            number = words[0].number
            assert all(word.number == number for word in words), "a ring of several types"
            name = f"{words[0].net}_ring{len(self._rings)}"
            nets = [self._constant(v, number) if not isinstance(v, Word) else self.in_cycle(v, load) for v in column]
            self.wires[f"{name}_all"] = number.bits * len(column)
            parameters = {
                "WIDTH": number.bits, "PLACES": len(column), "TURNING": turning, "STEP": step, "CYCLIC": int(cyclic),
            }  # fmt: skip
            ports = {"load": self.in_cycle(START, load), "x": f"{{{', '.join(reversed(nets))}}}", "y": f"{name}_all"}
            self.instances.append(Instance("nanopelican_ring", f"u_{name}", ports, parameters))
            self._rings[key] = [
                self.field(f"{name}_{place}", f"{name}_all", place * number.bits, number, Time(load + 1, 0.0))
                for place in range(len(column))
            ]
        return list(self._rings[key])

    def _constant(self, value: float, number: Number) -> str:
        return f"{number.bits}'d{int(value / 2.0**number.exponent) % (1 << number.bits)}"

    def accumulated(
        self, rows: Sequence[Value], values: FixedRange, cycles: int, turning: int = 0, step: int = 0
    ) -> list[Word]:
        """Sums over the phases of numbers that turn (`ring`), where the last phase leaves them.

        Parameters
        ----------
        rows : sequence of Value
            The number at each place in the first phase; constants are 0.
        values : FixedRange
            Range of the sums.
        cycles : int
            Number of phases.
        turning, step : int
            As for `ring`.
        """
        words = [value for value in rows if isinstance(value, Word)]
        start = max(word.time.cycle + (word.time.level + ADDER_LEVELS > self.levels) for word in words)
        number = Number(values, values.bits, values.signed)
        name = f"{words[0].net}_accumulator"
        nets = [
            value.number.on(self.at(value, start)).extended(number.exponent, number.bits)
            if isinstance(value, Word)
            else self._constant(value, number)
            for value in rows
        ]
        self.wires[f"{name}_all"] = number.bits * len(rows)
        parameters = {"WIDTH": number.bits, "PLACES": len(rows), "TURNING": turning, "STEP": step}
        ports = {"first": self.in_cycle(START, start), "x": f"{{{', '.join(reversed(nets))}}}", "y": f"{name}_all"}
        self.instances.append(Instance("nanopelican_accumulator", f"u_{name}", ports, parameters))
        ready = Time(start + cycles, 0.0)
        return [
            self.field(f"{name}_{place}", f"{name}_all", place * number.bits, number, ready)
            for place in range(len(rows))
        ]

    def live(self, phases: Iterable[int], cycles: int) -> Value:
        """A flag, 1 in these phases of an event and 0 in the others; a constant if it is 1 in all of them."""
        others = sorted(set(range(cycles)) - set(phases))
        if not others:
            return 1.0
        net = "idle_" + "_".join(map(str, others))
        if net not in self.wires:
            flags = " | ".join(self.in_cycle(START, cycle) for cycle in others)
            self.assignments.append(f"assign {net} = ~({flags});")
            self.wire(net, START.number, Time(0, 0.0))
        return Word(net, START.number, Time(0, 0.0), held=True)

    def _place(
        self,
        name: str,
        instance: str,
        lane: Sequence[Value],
        arrivals: Sequence[Time],
        compute: Callable[[Symbolic], Symbolic],
    ) -> list[Value]:
        # a number used twice is one input, so that its square is recognised as such
        distinct = list(dict.fromkeys(lane))
        pattern = [distinct.index(value) for value in lane]
        times = [max(t for t, p in zip(arrivals, pattern, strict=True) if p == k) for k in range(len(distinct))]
        types = [value.number.values if isinstance(value, Word) else value for value in distinct]
        key = (name, tuple(pattern), tuple(types))
        if key not in self._traced:
            piece = trace_piece(types, lambda row: compute(Symbolic(row.values[:, pattern])), times, self.levels)
            variants = sum(part.name == name for part in self.parts.values())
            self._traced[key] = f"{self.prefix}_{name}_v{variants}"
            self.parts[self._traced[key]] = Part(name, self.node)
            self.pieces[self._traced[key]] = piece
        module = self._traced[key]
        piece = self.pieces[module]
        words = [value for value in distinct if isinstance(value, Word)]
        used = [(number, needed) for number, needed in zip(piece.inputs, piece.needed, strict=True)]
        nets: dict[str, str] = {}
        for place, word in enumerate(words):
            number, needed = used[distinct.index(word)]
            if isinstance(number, Number):
                assert number.bits == word.number.bits, f"{word} at a port of {number}"
                nets[f"x{place}"] = self.at(word, needed)
        results: list[Value] = []
        for place, (output, ready) in enumerate(zip(piece.outputs, piece.ready, strict=True)):
            if isinstance(output, Number):
                results.append(self.wire(f"{instance}_y{place}", output, ready))
                nets[f"y{place}"] = f"{instance}_y{place}"
            else:
                results.append(output)
        if any(port.startswith("y") for port in nets):
            self.instances.append(Instance(module, f"u_{instance}", nets))
        return results

    def wire(self, net: str, number: Number, time: Time) -> Word:
        """Declare a net."""
        self.wires[net] = number.bits
        return Word(net, number, time)

    def field(self, net: str, of: str, lowest: int, number: Number, time: Time) -> Word:
        """A net with some bits of another one; the same net if it is requested again."""
        assert lowest >= 0, f"{net}: bit {lowest} of {of}"
        if net not in self.wires:
            self.assignments.append(f"assign {net} = {of}[{lowest + number.bits - 1}:{lowest}];")
        return self.wire(net, number, time)

    def in_cycle(self, word: Word, cycle: int) -> str:
        """The net with the value of a word in a cycle, whatever the phase."""
        return self.at(word, cycle - (word.phase or 0))

    def at(self, word: Word, cycle: int) -> str:
        """The net with the value of a word in a later cycle, which is that of the first phase."""
        if cycle == word.time.cycle:
            return word.net
        if cycle == -1 and word.net in self.unregistered:
            return self.unregistered[word.net]
        assert cycle > word.time.cycle, f"{word} is needed in cycle {cycle}"
        self._delays[word.net].add(cycle - word.time.cycle)
        return f"{word.net}_d{cycle - word.time.cycle}"

    def delays(self) -> list[tuple[str, str, int, int]]:
        """Shift registers as (input net, output net, bits, cycles); those of one net are in series."""
        result = []
        for net, cycles in self._delays.items():
            done = 0
            for cycle in sorted(cycles):
                before = f"{net}_d{done}" if done else net
                result.append((before, f"{net}_d{cycle}", self.wires[net], cycle - done))
                done = cycle
        return result

    def count(self) -> Counter[str]:
        """Number of instances by module."""
        return Counter(instance.module for instance in self.instances)

    def registered(self, results: Iterable[str] = ()) -> list[str]:
        """Nets of the inputs that are registered, since something reads them; rings take inputs themselves.

        Parameters
        ----------
        results : iterable of str
            What the outputs are.
        """
        read = set(re.findall(r"\w+", " ".join([*self.body(), *results])))
        return [net for net in self.unregistered if net in read and net != START.net]

    def body(self) -> list[str]:
        """Body of the top module, by lines."""
        lines = [self._delay(*delay).verilog() for delay in self.delays()]
        return lines + self.assignments + [line for instance in self.instances for line in self._lines(instance)]

    def _lines(self, instance: Instance) -> list[str]:
        if instance.module in self.triplicated:
            return _copies(instance, self.wires)
        return [instance.verilog()]

    def declarations(self) -> list[str]:
        """Declarations of the nets in the body, by lines."""
        widths = list(self.wires.items()) + [(delayed, bits) for _, delayed, bits, _ in self.delays()]
        return [f"wire {ACCEPTED};", *(f"wire [{bits - 1}:0] {net};" for net, bits in widths)]

    def _delay(self, net: str, delayed: str, bits: int, cycles: int) -> Instance:
        """A shift register; `rst` clears those of the event flag."""
        nets = {"x": net, "y": delayed}
        if is_control(net):
            return Instance("nanopelican_control", f"u_{delayed}", {"rst": "rst", **nets}, {"CYCLES": cycles})
        return Instance("nanopelican_delay", f"u_{delayed}", nets, {"WIDTH": bits, "CYCLES": cycles})


def _copies(instance: Instance, widths: Mapping[str, int]) -> list[str]:
    """Three copies of an instance and a voter for each of its outputs, by lines of Verilog."""
    outputs = [net for port, net in instance.nets.items() if _is_output(port)]
    lines = [f"wire [{widths[net] - 1}:0] {net}_copy{k};" for net in outputs for k in COPIES]
    for k in COPIES:
        nets = {
            port: f"{net}_copy{k}" if net in outputs or (port == CASCADE and net in widths) else net
            for port, net in instance.nets.items()
        }
        lines.append(f"{KEPT} {dataclasses.replace(instance, name=f'{instance.name}_copy{k}', nets=nets).verilog()}")
    return lines + [voter(net, widths[net], [f"{net}_copy{k}" for k in COPIES]) for net in outputs]


def _is_output(port: str) -> bool:
    return port in ("p", "pcout") or (port.startswith("y") and port[1:].isdigit())

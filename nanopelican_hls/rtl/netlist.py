"""Instances of pieces and the nets between them; early values are delayed in shift registers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nanopelican_hls.rtl.piece import Number, Piece, trace_piece
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.symbolic import Symbolic


@dataclass(frozen=True)
class Word:
    """A number on a net: its name, its type, and when it is ready."""

    net: str
    number: Number
    time: Time


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
HAND_WRITTEN = {f"nanopelican_{name}": Part(name) for name in ("product", "booth", "delay")}


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
        self.wires: dict[str, int] = {}
        self.assignments: list[str] = []
        self._delays: dict[str, set[int]] = defaultdict(set)
        self._traced: dict[tuple[object, ...], str] = {}

    def lanes(
        self,
        name: str,
        lanes: Sequence[Sequence[Value]],
        compute: Callable[[Symbolic], Symbolic],
        not_before: int = 0,
    ) -> list[list[Value]]:
        """Add one function of many rows, all in the same clock cycles; rows of equal types share a module.

        Parameters
        ----------
        name : str
            Name of the modules and instances.
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
        arrivals = [
            max([Time(not_before, 0.0), *(v.time for v in column if isinstance(v, Word))])
            for column in zip(*lanes, strict=True)
        ]
        return [
            self._place(name, f"{name}_{k}" if len(lanes) > 1 else name, lane, arrivals, compute)
            for k, lane in enumerate(lanes)
        ]

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

    def at(self, word: Word, cycle: int) -> str:
        """The net with the value of a word in a later cycle."""
        if cycle == word.time.cycle:
            return word.net
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

    def body(self) -> list[str]:
        """Body of the top module, by lines."""
        lines = [f"wire [{bits - 1}:0] {net};" for net, bits in self.wires.items()]
        lines += [f"wire [{bits - 1}:0] {delayed};" for _, delayed, bits, _ in self.delays()]
        lines += [
            Instance(
                "nanopelican_delay", f"u_{delayed}", {"x": before, "y": delayed}, {"WIDTH": bits, "CYCLES": cycles}
            ).verilog()
            for before, delayed, bits, cycles in self.delays()
        ]
        return lines + self.assignments + [instance.verilog() for instance in self.instances]

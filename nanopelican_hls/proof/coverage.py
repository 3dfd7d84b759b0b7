"""How much of each quantiser a set of events exercises: its codes, rounding ties of each sign, and both clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.execution import port_arrays
from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding

Arrays = Mapping[str, NDArray[np.float64]]


class Reach(str, Enum):
    """What is known of a tie or a clip."""

    SEEN = "seen"
    INTERVAL = "unreachable (interval)"  #: no value of the tensor's range does it
    SOLVER = "unreachable (solver)"  #: no event does it
    REACHABLE = "reachable, not reached"  #: the solver has an event, which is not among those that ran
    OPEN = "not reached"  #: the interval does not exclude it, and nothing more is known
    TIME = "unknown (time)"  #: the solver gave no answer in time


@dataclass(frozen=True)
class Goal:
    """A tie of one sign, or a clip, in integers of the tensor that a quantiser reads.

    Attributes
    ----------
    name : ``tie+``, ``tie-``, ``clip+`` or ``clip-``.
    low, high : the integers of the source, within its range; None where it is unbounded (a port).
    modulus, rest : and only those that are ``rest`` modulo ``modulus``.
    """

    name: str
    low: int | None
    high: int | None
    modulus: int = 1
    rest: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether no integer is one of these."""
        if self.low is None or self.high is None:
            return False
        return self.low + (self.rest - self.low) % self.modulus > self.high


def goals(quantiser: Quantiser, source: FixedRange | None) -> dict[str, Goal]:
    """What can happen in a quantiser, by name; `source` is the range of what it reads, None for real numbers.

    Truncation has no ties.
    """
    if source is None:
        names = ("tie+", "tie-") if quantiser.rounding is Rounding.ROUND else ()
        return {name: Goal(name, None, None) for name in (*names, "clip+", "clip-")}
    shift = quantiser.exponent - source.exponent
    # the smallest source integer that is rounded to one code, and the largest to another
    above, below = _first_at(quantiser, quantiser.high + 1, shift), _first_at(quantiser, quantiser.low, shift) - 1
    found = {
        "clip+": Goal("clip+", max(above, source.low), source.high),
        "clip-": Goal("clip-", source.low, min(below, source.high)),
    }
    if quantiser.rounding is not Rounding.ROUND:
        return found
    if shift <= 0:
        return {"tie+": Goal("tie+", 1, 0), "tie-": Goal("tie-", 1, 0)} | found
    unit, half = 1 << shift, 1 << (shift - 1)
    return {
        "tie+": Goal("tie+", 1, min(above - 1, source.high), unit, half),
        "tie-": Goal("tie-", max(below + 1, source.low), -1, unit, half),
    } | found


def _first_at(quantiser: Quantiser, code: int, shift: int) -> int:
    """The smallest source integer whose code, before saturation, is at least this one."""
    if shift <= 0:
        return -((-code) >> -shift)  # rounded up
    if quantiser.rounding is Rounding.FLOOR:
        return code << shift
    tie = (code << shift) - (1 << (shift - 1))
    return tie if code % 2 == 0 else tie + 1  # a tie goes to the even code


def possible_codes(quantiser: Quantiser, source: FixedRange | None) -> int:
    """The number of codes that the range of the source leaves."""
    if source is None:
        return quantiser.high - quantiser.low + 1
    shift = source.exponent - quantiser.exponent
    if shift <= 0:
        ends = quantiser.integers(np.ldexp([float(source.low), float(source.high)], source.exponent))
        return int(ends[1] - ends[0]) + 1
    # only every 2^shift-th code, and the bounds themselves by saturation
    inside = range(max(source.low, -((-quantiser.low) >> shift)), min(source.high, quantiser.high >> shift) + 1)
    codes = len(inside)
    codes += source.low < inside.start and (not codes or inside[0] << shift != quantiser.low)
    codes += source.high >= inside.stop and (not codes or inside[-1] << shift != quantiser.high)
    return codes


@dataclass
class QuantiserCoverage:
    """Of one quantiser.

    Attributes
    ----------
    node : the ``Quant``.
    source : range of what it reads; None of a port.
    counts : times that each goal was met, by its name.
    seen : whether each code was seen.
    reach : of each goal.
    """

    node: Node
    quantiser: Quantiser
    source: FixedRange | None
    counts: dict[str, int] = field(default_factory=dict)
    reach: dict[str, Reach] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.goals = goals(self.quantiser, self.source)
        self.seen = np.zeros(self.quantiser.high - self.quantiser.low + 1, dtype=bool)
        self.counts = dict.fromkeys(self.goals, 0)
        self.reach = {name: Reach.INTERVAL if goal.is_empty else Reach.OPEN for name, goal in self.goals.items()}

    @property
    def codes(self) -> int:
        """Number of codes that were seen."""
        return int(np.count_nonzero(self.seen))

    def add(self, values: NDArray[np.float64]) -> None:
        """Count what happens with values [n, ...] of the source."""
        q = self.quantiser
        with np.errstate(over="ignore"):
            scaled = np.ldexp(values, -q.exponent)
        rounded = np.rint(scaled) if q.rounding is Rounding.ROUND else np.floor(scaled)
        self.seen[np.unique(np.clip(rounded, q.low, q.high)).astype(np.int64) - q.low] = True
        above, below = rounded > q.high, rounded < q.low
        found = {"clip+": above, "clip-": below}
        if q.rounding is Rounding.ROUND:
            tie = (np.abs(scaled - np.trunc(scaled)) == 0.5) & ~above & ~below
            found |= {"tie+": tie & (scaled > 0), "tie-": tie & (scaled < 0)}
        for name, where in found.items():
            self.counts[name] += int(np.count_nonzero(where))
            if self.counts[name]:
                self.reach[name] = Reach.SEEN

    def as_json(self) -> dict[str, object]:
        return {
            "tensor": self.node.output,
            "bits": self.quantiser.bits,
            "rounding": self.quantiser.rounding.value,
            "codes": self.codes,
            "possible_codes": possible_codes(self.quantiser, self.source),
        } | {name: {"times": self.counts[name], "reach": self.reach[name].value} for name in self.goals}


class Coverage:
    """Of all quantisers of a program, over events that are added in any number of pieces."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.quantisers: dict[str, QuantiserCoverage] = {}
        for node in program.nodes:
            if node.quantiser is not None and node.inputs[0] is not None:
                source = program.ranges.get(node.inputs[0])
                self.quantisers[node.output] = QuantiserCoverage(node, node.quantiser, source)

    def add(self, ports: Arrays, tensors: Arrays) -> None:
        """Add events: values at the ports, and all tensors of one executor."""
        values = {**port_arrays(self.program, ports), **tensors}
        for one in self.quantisers.values():
            one.add(values[str(one.node.inputs[0])])

    def open_goals(self) -> list[tuple[str, str]]:
        """Tensors and goals of which nothing is known."""
        return [
            (t, name) for t, one in self.quantisers.items() for name, reach in one.reach.items() if reach is Reach.OPEN
        ]

    def as_json(self) -> list[dict[str, object]]:
        return [one.as_json() for one in self.quantisers.values()]

"""How the particles and pairs of an event share hardware in time (docs/rtl.md, "The ring")."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.rtl.arrival import Arrival
from nanopelican_hls.rtl.netlist import Netlist, Value, Word, in_phase
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.symbolic import row_total
from nanopelican_hls.rtl.tournament import Tournament

Row = Sequence[Value]

#: clock cycles over which the terms of particles are computed, at most: they are between the two passes over the pairs,
#: so each further cycle adds to the latency
MOST_PARTICLE_CYCLES = 3


@dataclass(frozen=True)
class Pair:
    """The values of two particles where they meet.

    ``swapped`` says that the first are those of the second particle, ``live`` is 0 in the cycles in which the hardware
    of the pair has nothing to do.
    """

    first: list[Value]
    second: list[Value]
    swapped: bool
    live: Value


class Sharing:
    """Brings values of particles to the hardware that they share; with an interval of 1 nothing is shared.

    Parameters
    ----------
    netlist : Netlist
        Receives rings and accumulators.
    particles : int
        Number of constituents.
    interval : int
        Initiation interval in clock cycles.
    streamed : bool
        Whether the constituents come in over the cycles of the interval.
    """

    def __init__(self, netlist: Netlist, particles: int, interval: int, streamed: bool = False) -> None:
        self.netlist, self.tournament = netlist, Tournament(particles, interval)
        self.cycles = self.tournament.cycles
        self.arrival = Arrival.of(particles, self.cycles, streamed)
        #: a compromise between lanes and latency
        self.particle_cycles = min((self.cycles + 1) // 2, MOST_PARTICLE_CYCLES)
        #: nets that are 0 in the phases in which nothing is to be counted
        self.silent: set[str] = set()

    def pairs(self, rows: Sequence[Row]) -> Ring:
        """Bring the values of each particle, spurions first, to those of every other."""
        spurions = len(rows) - self.tournament.particles
        places = [list(row) for row in rows[spurions:]]
        if self.cycles > 1:
            places = self.netlist.ring(places, self.tournament.circle, self.tournament.rounds)
        return Ring(self, rows[:spurions], places)

    def in_turn(self, rows: Sequence[Row]) -> list[list[Value]]:
        """The values of each constituent, one constituent after another, in `particle_cycles`.

        Constituent i passes lane i % L. Values that are there in this order already stay as they are.
        """
        lanes = -(-len(rows) // self.particle_cycles)
        if lanes == len(rows):
            return [self.at_once(row) for row in rows]
        if all(v.phase == k // lanes for k, row in enumerate(rows) for v in row if isinstance(v, Word)):
            return [list(row) for row in rows]
        ring = self.netlist.ring(rows, len(rows), lanes, cyclic=False)
        return [in_phase(ring[k % lanes], k // lanes) for k in range(len(rows))]

    def arriving(self, rows: Sequence[Row]) -> list[list[Value]]:
        """Inputs of each constituent, for hardware of its own: in the order in which they come, or in turn."""
        return [list(row) for row in rows] if self.arrival.beats > 1 else self.in_turn(rows)

    def at_once(self, values: Row) -> list[Value]:
        """Values that come one after another, each as a value that exists once an event, in its own cycle."""
        return [
            dataclasses.replace(v, time=Time(v.cycle, v.time.level), phase=None) if isinstance(v, Word) else v
            for v in values
        ]

    def throughout(self, values: Row) -> list[Value]:
        """Values that exist once an event, for all cycles in which constituents come."""
        return [self.netlist.held(v) if self.cycles > 1 and isinstance(v, Word) else v for v in values]

    def summands(self, name: str, values: Row, total: FixedRange, parts: int = 1) -> list[Value]:
        """Values with the same sum: those that come one after another are accumulated.

        Parameters
        ----------
        name : str
            Prefix of the instance names.
        values : sequence of Value
        total : FixedRange
            Range of the sum.
        parts : int
            Numbers in which it is accumulated: more of them are ready sooner, and are still to be added.
        """
        # entries of equal inputs share an instance, and count as often as they are
        given = Counter(value for value in values if isinstance(value, Word) and value.phase is not None)
        rest = [value for value in values if not (isinstance(value, Word) and value.phase is not None)]
        if not given:
            return rest
        phases: dict[tuple[Value, int], set[int]] = defaultdict(set)
        for value, count in given.items():
            for copy in range(count):
                phases[in_phase([value], 0)[0], copy].add(value.phase or 0)
        cycles = 1 + max(max(found) for found in phases.values())
        row = [self.alone(f"{name}_live{k}", v, found, cycles) for k, ((v, _), found) in enumerate(phases.items())]
        (added,) = self.netlist.lanes(f"{name}_turn", [row], lambda row: row_total(row).in_parts(parts))
        for part in added:
            if isinstance(part, Word):
                over_time = _within(part.number.values.times(cycles), total)
                rest += self.netlist.accumulated([part], over_time, cycles)
            else:
                rest.append(part * cycles)
        return rest

    def alone(self, name: str, value: Value, phases: set[int], cycles: int) -> Value:
        """A value, 0 in all but these phases."""
        live = self.netlist.live(phases, cycles)
        if not isinstance(live, Word) or not isinstance(value, Word) or value.net in self.silent:
            return value
        ((gated,),) = self.netlist.lanes(name, [[value, live]], lambda row: row[:, :1].chosen(row[:, 1:], 0.0))
        return gated


class Ring:
    """The particles of an event where they meet: constituents pass each other and the spurions.

    Parameters
    ----------
    sharing : Sharing
    spurions : sequence of Row
        Values of the spurions, which stay where they are.
    places : sequence of Row
        Values at each place of the constituents, in the first phase.
    """

    def __init__(self, sharing: Sharing, spurions: Sequence[Row], places: Sequence[Row]) -> None:
        self._sharing, self._spurions, self._places = sharing, spurions, places

    def pair(self, one: int, other: int) -> Pair:
        """The values of two particles where they meet; the first has the lower number."""
        i, j = int(one) - len(self._spurions), int(other) - len(self._spurions)
        if i >= 0:
            tournament = self._sharing.tournament
            meeting = tournament.meeting(i, j)
            first, second = (self._at(place, meeting.cycle) for place in meeting.places)
            live = range(tournament.cycles - meeting.surplus)
            return Pair(first, second, meeting.swapped, self._sharing.netlist.live(live, tournament.cycles))
        first = list(self._spurions[one])
        if j < 0:
            return Pair(first, list(self._spurions[other]), swapped=False, live=1.0)
        second, flag = self.single(j)
        return Pair(first, second, swapped=False, live=flag)

    def single(self, constituent: int) -> tuple[list[Value], Value]:
        """The values of a constituent where it passes alone, and a flag for the cycles with a new constituent there."""
        tournament = self._sharing.tournament
        turn = tournament.turn(constituent)
        return self._at(turn.place, turn.cycle), self._sharing.netlist.live(turn.live, tournament.cycles)

    def _at(self, place: int, cycle: int) -> list[Value]:
        row = self._places[place]
        return list(row) if self._sharing.cycles == 1 else in_phase(row, cycle)


def filled_up(rows: Sequence[Row]) -> list[list[Value]]:
    """Rows of summands, all as long as the longest."""
    longest = max(map(len, rows))
    return [[*row, *[0.0] * (longest - len(row))] for row in rows]


def _within(part: FixedRange, total: FixedRange) -> FixedRange:
    """The range of a part of a sum: if all are natural numbers, none is larger than the sum."""
    most = total.at(min(total.exponent, part.exponent)).high
    return FixedRange(part.low, min(part.high, most) if part.low >= 0 else part.high, part.exponent)

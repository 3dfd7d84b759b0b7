"""The round-robin tournament of particles that share hardware in time: who meets whom, where, and when.

The circle method: the particles of an event stand on a circle of places, which turns; the last one, if their number is
even, stays apart. In a round each particle is in exactly one pair, and after as many rounds as there are places on the
circle every two particles have met once. A unit that computes something of a pair is wired to two places, and in each
clock cycle finds another pair there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Meeting:
    """Where two particles meet: places, and the clock cycle, counted from the one with the event in its first places.

    ``swapped`` says that the first place has the second particle. ``surplus`` says that the places meet once more when
    all pairs have been.
    """

    cycle: int
    places: tuple[int, int]
    swapped: bool
    surplus: bool


@dataclass(frozen=True)
class Turn:
    """Where and when a single particle passes; ``live`` are the cycles in which a particle is new at that place."""

    cycle: int
    place: int
    live: range


@dataclass(frozen=True)
class Tournament:
    """All pairs of an event's particles, in as few clock cycles as the initiation interval allows.

    Attributes
    ----------
    particles : N, at least 2.
    interval : the initiation interval that is asked for, in clock cycles.
    """

    particles: int
    interval: int

    @property
    def circle(self) -> int:
        """Places that turn; an odd number, and the number of rounds."""
        return self.particles - 1 + self.particles % 2

    @property
    def places(self) -> int:
        """Places with a particle: those of the circle, and the one apart."""
        return self.particles

    @property
    def rounds(self) -> int:
        """Rounds in a clock cycle, and places by which the circle turns."""
        return -(-self.circle // self.interval)

    @property
    def cycles(self) -> int:
        """Clock cycles of an event: the interval that the hardware can keep, at most the one that is asked for."""
        return -(-self.circle // self.rounds)

    def particle(self, place: int, cycle: int) -> int:
        """The particle at a place."""
        return place if place == self.circle else (place + self.rounds * cycle) % self.circle

    def place(self, particle: int, cycle: int) -> int:
        """The place of a particle."""
        return particle if particle == self.circle else (particle - self.rounds * cycle) % self.circle

    def meeting(self, one: int, other: int) -> Meeting:
        """Where two particles meet, the first the one of the lower number."""
        if self.cycles == 1:
            return Meeting(0, (one, other), swapped=False, surplus=False)
        # on the circle, those meet in round t whose numbers add up to 2 t; the one apart meets number t
        apart = other == self.circle
        number = one if apart else (one + other) * (self.circle + 1) // 2 % self.circle
        cycle, unit = divmod(number, self.rounds)
        surplus = self._is_surplus(unit)
        first, second = self.place(one, cycle), self.place(other, cycle)
        swapped = not apart and (first - unit) % self.circle > self.circle // 2
        return Meeting(cycle, (second, first) if swapped else (first, second), swapped, surplus)

    def turn(self, particle: int) -> Turn:
        """Where and when a single particle passes: the first places see all of the circle, each in another cycle."""
        if self.cycles == 1 or particle == self.circle:
            return Turn(0, particle, range(1))
        cycle, place = divmod(particle, self.rounds)
        return Turn(cycle, place, range(self.cycles - self._is_surplus(place)))

    def _is_surplus(self, unit: int) -> bool:
        return unit + self.rounds * (self.cycles - 1) >= self.circle

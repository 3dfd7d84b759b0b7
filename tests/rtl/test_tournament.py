"""The tournament: every pair meets once, at fixed places."""

from itertools import combinations

import pytest

from nanopelican_hls.rtl.tournament import Tournament

SIZES = [2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 32]


def tournaments(particles):
    return [Tournament(particles, interval) for interval in range(1, particles + 1)]


@pytest.mark.parametrize("particles", SIZES)
def test_every_pair_meets_once(particles):
    for tournament in tournaments(particles):
        seen = set()
        for one, other in combinations(range(particles), 2):
            meeting = tournament.meeting(one, other)
            there = tuple(tournament.particle(place, meeting.cycle) for place in meeting.places)
            assert there == ((other, one) if meeting.swapped else (one, other))
            assert all(
                tournament.place(particle, meeting.cycle) == place
                for particle, place in zip(there, meeting.places, strict=True)
            )
            assert 0 <= meeting.cycle < tournament.cycles
            seen.add((meeting.cycle, meeting.places))
        assert len(seen) == particles * (particles - 1) // 2


@pytest.mark.parametrize("particles", SIZES)
def test_a_pair_of_places_meets_in_every_cycle_but_the_surplus(particles):
    for tournament in tournaments(particles):
        cycles, surplus = {}, {}
        for one, other in combinations(range(particles), 2):
            meeting = tournament.meeting(one, other)
            cycles.setdefault(meeting.places, set()).add(meeting.cycle)
            surplus[meeting.places] = meeting.surplus
        for (first, second), found in cycles.items():
            assert (second, first) not in cycles
            assert found == set(range(tournament.cycles - surplus[first, second]))
        if tournament.cycles > 1:
            assert len(cycles) == particles // 2 * tournament.rounds


@pytest.mark.parametrize("particles", SIZES)
def test_every_particle_passes_alone_once(particles):
    for tournament in tournaments(particles):
        turns = [tournament.turn(particle) for particle in range(particles)]
        assert [tournament.particle(turn.place, turn.cycle) for turn in turns] == list(range(particles))
        for place in {turn.place for turn in turns}:
            assert [turn.cycle for turn in turns if turn.place == place] == list(
                next(turn.live for turn in turns if turn.place == place)
            )


@pytest.mark.parametrize(
    ("particles", "interval", "rounds", "cycles"),
    [
        (8, 1, 7, 1),
        (8, 3, 3, 3),
        (8, 7, 1, 7),
        (16, 3, 5, 3),
        (16, 9, 2, 8),
        (32, 9, 4, 8),
        (80, 9, 9, 9),
        (5, 2, 3, 2),
    ],
)
def test_rounds_and_cycles(particles, interval, rounds, cycles):
    tournament = Tournament(particles, interval)
    assert (tournament.rounds, tournament.cycles) == (rounds, cycles)

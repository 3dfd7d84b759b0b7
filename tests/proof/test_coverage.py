"""Coverage of quantisers: goals and codes against a naive count, and what the solver says of what no event reached."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding
from nanopelican_hls.proof.coverage import Coverage, QuantiserCoverage, Reach, goals, possible_codes
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.export import build_program

QUANTISERS = st.builds(
    lambda bits, signed, exponent, rounding: Quantiser(bits + signed, signed, exponent, rounding),
    st.integers(1, 5),
    st.booleans(),
    st.integers(-4, 4),
    st.sampled_from(Rounding),
)
RANGES = st.builds(FixedRange, st.integers(-200, 0), st.integers(0, 200), st.integers(-4, 4))


def members(goal, source):
    return [
        k for k in range(goal.low, goal.high + 1) if k % goal.modulus == goal.rest and source.low <= k <= source.high
    ]


@settings(deadline=None, derandomize=True, max_examples=300)
@given(QUANTISERS, RANGES)
def test_every_value_of_a_range(quantiser, source):
    """What is counted over all values is what the goals list, and all codes that are possible are seen."""
    one = QuantiserCoverage(None, quantiser, source)
    integers = np.arange(source.low, source.high + 1)
    one.add(np.ldexp(integers.astype(float), source.exponent))
    assert one.codes == possible_codes(quantiser, source)
    for name, goal in goals(quantiser, source).items():
        assert one.counts[name] == len(members(goal, source)), name
        assert goal.is_empty == (one.counts[name] == 0), name
        assert one.reach[name] is (Reach.INTERVAL if goal.is_empty else Reach.SEEN)


def test_ports_are_real_numbers():
    one = QuantiserCoverage(None, Quantiser(3, True, 0), None)
    one.add(np.array([[0.5, 1.5, -0.5], [3.5, 3.4, -4.5], [1e308, -1e308, -4.6]]))
    # 3.5 is clipped, and -4.5 goes to -4
    assert one.counts == {"tie+": 2, "tie-": 2, "clip+": 2, "clip-": 2}
    assert QuantiserCoverage(None, Quantiser(3, True, 0, Rounding.FLOOR), None).counts == {"clip+": 0, "clip-": 0}


@pytest.fixture(scope="module")
def program():
    return build_program(random_description(NetworkConfig(2, 1), bits=3, seed=3))


def test_of_a_program_in_pieces(program):
    ports = random_ports(NetworkConfig(2, 1), 60)
    whole, pieces = Coverage(program), Coverage(program)
    whole.add(ports, execute(program, ports))
    for start in range(0, 60, 25):
        piece = {name: values[start : start + 25] for name, values in ports.items()}
        pieces.add(piece, execute(program, piece))
    assert whole.as_json() == pieces.as_json()
    assert {row["tensor"] for row in whole.as_json()} == set(program.quantisers)


def test_the_solver_agrees_with_all_events(program):
    """Two particles of 3 bits: each goal is either met by an event that the solver gives, or by none of very many."""
    pytest.importorskip("bitwuzla", reason="bitwuzla is not installed")
    from nanopelican_hls.flows.reaching import reachable

    draw = np.random.default_rng(5)
    ports = {
        port.name: np.ldexp(draw.integers(port.range.low, port.range.high + 1, (50_000, *port.shape)), port.exponent)
        for port in program.inputs
    }
    seen = Coverage(program)
    seen.add(ports, execute(program, ports))
    inner = [tensor for tensor, one in seen.quantisers.items() if one.source is not None]
    wanted = [
        (tensor, goal) for tensor in inner for goal in seen.quantisers[tensor].goals.values() if not goal.is_empty
    ]
    assert len(wanted) > 5
    answers = reachable(program, wanted, 60)
    for (tensor, name), answer in answers.items():
        if answer.event is None:
            assert answer.reach is Reach.SOLVER
            assert seen.quantisers[tensor].counts[name] == 0, (tensor, name)
        else:
            once = Coverage(program)
            once.add(answer.event, execute(program, answer.event))
            assert once.quantisers[tensor].counts[name] > 0, (tensor, name)
    assert {answer.reach for answer in answers.values()} == {Reach.SOLVER, Reach.REACHABLE}

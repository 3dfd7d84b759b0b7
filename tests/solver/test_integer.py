"""Integers in normal form have the values of what they were computed from, and the solver's words too."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

pytest.importorskip("bitwuzla", reason="bitwuzla is not installed")

from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.solver.decide import Solver, Verdict
from nanopelican_hls.solver.integer import Space, choice, evaluated
from nanopelican_hls.solver.symbolic import Number

RANGES = {"x": (-9, 9), "y": (0, 6), "z": (-3, 2)}
ALL = [dict(zip(RANGES, v, strict=True)) for v in itertools.product(*(range(a, b + 1) for a, b in RANGES.values()))]


def wrapped(value, bits):
    return (value + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))


#: an operation of integers and the same of Python's
OPERATIONS = [
    (lambda x, y: x + y, lambda x, y: x + y),
    (lambda x, y: x - y * 3, lambda x, y: x - y * 3),
    (lambda x, y: x * y, lambda x, y: x * y),
    (lambda x, y: (x * 6 + y + 5).floor(2), lambda x, y: (x * 6 + y + 5) >> 2),
    (lambda x, y: (x + y).modulo(3), lambda x, y: (x + y) % 8),
    (lambda x, y: (x * 4 + y).signed(4), lambda x, y: wrapped(x * 4 + y, 4)),
    (lambda x, y: (x - y).odd() * y, lambda x, y: (x - y) % 2 * y),
    (lambda x, y: (x * 2 - y - 1).negative() * x, lambda x, y: (x * 2 - y - 1 < 0) * x),
    (lambda x, y: (x - y).zero() + x, lambda x, y: (x == y) + x),
    (lambda x, y: x.clipped(-2, 3) + y.clipped(1, 4), lambda x, y: min(max(x, -2), 3) + min(max(y, 1), 4)),
    (lambda x, y: x.clipped(-1, 1) * y * x, lambda x, y: min(max(x, -1), 1) * y * x),
    (lambda x, y: x.masked(y), lambda x, y: x & y),
    (lambda x, y: x.masked(x.space.constant(-6)) + y, lambda x, y: (x & -6) + y),
    (lambda x, y: x.modulo(2).entry([7, -1, 3, 3]) + y, lambda x, y: [7, -1, 3, 3][x % 4] + y),
    (lambda x, y: choice(x.below(y), x, y), lambda x, y: min(x, y)),
    (lambda x, y: choice(x.below(y + 1), y, x + 2), lambda x, y: y if x < y + 1 else x + 2),
    (lambda x, y: choice(y.zero(), -x, x), lambda x, y: -x if y == 0 else x),
]


@pytest.fixture(params=[False, True], ids=["plain", "folds"])
def space(request):
    return Space(folds=request.param)


@pytest.fixture
def inputs(space):
    return {name: space.input(name, *bounds) for name, bounds in RANGES.items()}


def pairs():
    return [(one, two) for one in OPERATIONS for two in OPERATIONS]


def test_values_and_bounds(inputs):
    for (one, exact), (two, exact_two) in pairs():
        result = two(one(inputs["x"], inputs["y"]), inputs["z"])
        for values in ALL[::7]:
            expected = exact_two(exact(values["x"], values["y"]), values["z"])
            (found,) = evaluated([result], values)
            assert found == expected
            assert result.low <= found <= result.high


def test_the_solver_has_the_same_values(space, inputs):
    """Each result is proved not to differ from a table of its values, at single places of its inputs."""
    for operation, exact in OPERATIONS:
        solver = Solver(space, 20)
        x, y = inputs["x"], inputs["y"]
        result = operation(x, y)
        for values in ALL[::97]:
            at = (x - values["x"]).zero() * (y - values["y"]).zero()
            expected = exact(values["x"], values["y"])
            assert solver.never(at * (1 - (result - expected).zero())).verdict is Verdict.PROVED
            wrong = solver.never(at * (1 - (result - expected - 1).zero()))
            assert wrong.verdict is Verdict.REFUTED


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize(("bits", "signed", "exponent"), [(3, True, 2), (3, False, 1), (4, True, 0), (5, False, -2)])
def test_quantisers(space, rounding, bits, signed, exponent):
    quantiser = Quantiser(bits, signed, exponent, rounding)
    x = space.input("x", -40, 40)
    result = Number(x, 0).quantised(quantiser)
    for value in range(-40, 41):
        assert evaluated([result.integer], {"x": value})[0] == quantiser.integers(np.array(float(value)))
    assert result.exponent == exponent
    assert quantiser.low <= result.integer.low <= result.integer.high <= quantiser.high

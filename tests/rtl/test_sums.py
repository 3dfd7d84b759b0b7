"""Deferred sums: their values, their adders, and when they are ready."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanopelican_hls.errors import RtlError
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.rtl.circuit import circuit
from nanopelican_hls.rtl.piece import trace_piece
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.sums import signed_digits
from nanopelican_hls.rtl.symbolic import Symbolic

ranges = st.builds(FixedRange, st.integers(-20, 0), st.integers(1, 40), st.integers(-2, 2))


def values_of(kinds, events, seed):
    random = np.random.default_rng(seed)
    columns = [np.ldexp(random.integers(k.low, k.high + 1, events).astype(float), k.exponent) for k in kinds]
    return np.stack(columns, axis=1)


@settings(deadline=None, max_examples=60)
@given(
    kinds=st.lists(ranges, min_size=1, max_size=20),
    weights=st.lists(st.integers(-40, 40).map(lambda n: n / 4), min_size=20, max_size=20),
    constant=st.integers(-9, 9).map(lambda n: n / 8),
    arrivals=st.lists(st.integers(0, 12).map(float), min_size=20, max_size=20),
)
def test_weighted_sums(kinds, weights, constant, arrivals):
    x = Symbolic.row(kinds, arrivals[: len(kinds)])
    w = np.array(weights[: len(kinds)])
    total = (x * w + constant).sum(1).reshape(1, 1)
    halves = (x * w + constant).sum(1).in_parts(2)
    values = values_of(kinds, 200, seed=len(kinds))
    results = circuit({"x": x}, {"total": total, "halves": halves}).evaluate({"x": values})
    expected = (values * w + constant).sum(1)
    np.testing.assert_array_equal(results["total"][:, 0], expected)
    np.testing.assert_array_equal(results["halves"].sum(1), expected)


@pytest.mark.parametrize("constant", [2.0**24 + 1, 1 - 2.0**-30, -(2.0**31) + 1])
def test_no_bit_of_a_wide_constant_is_lost(constant):
    """alkaid itself finds the last bit of a constant in float32."""
    values = np.arange(-8.0, 8.0)[:, None]
    x = Symbolic.row([FixedRange(-8, 7, 0)], [0.0])
    results = circuit({"x": x}, {"y": x + constant}).evaluate({"x": values})
    np.testing.assert_array_equal(results["y"], values + constant)


def test_a_constant_that_is_too_wide_is_refused():
    x = Symbolic.row([FixedRange(-8, 7, 0)], [0.0])
    with pytest.raises(RtlError, match="is a constant of 32 bits, more than the 31"):
        circuit({"x": x}, {"y": x + (2.0**31 + 1)})


def test_a_number_whose_bounds_float64_does_not_hold_is_refused():
    Symbolic.row([FixedRange(-(2**53), 2**53, -12)], [0.0])
    with pytest.raises(RtlError, match="needs 55 bits, more than the 53"):
        Symbolic.row([FixedRange(-(2**53) - 1, 2**53, -12)], [0.0])


@pytest.mark.parametrize("count", [4, 5, 6, 7, 11, 12, 30])
def test_unsigned_numbers_are_compressed(count):
    """No bit is lost at the ends of the ranges, and few numbers take carry chains only for the last addition."""
    kinds = [FixedRange(0, 63, 0)] * count
    x = Symbolic.row(kinds, [0.0] * count)
    logic = circuit({"x": x}, {"y": x.sum(1).reshape(1, 1)})
    values = np.vstack([np.full(count, 63.0), np.zeros(count), values_of(kinds, 300, seed=1)])
    np.testing.assert_array_equal(logic.evaluate({"x": values})["y"][:, 0], values.sum(1))
    tables = sum(op.opcode == 8 for op in logic.logic.ops)
    assert tables > 0
    if count <= 12:
        assert sum(op.opcode in (0, 1) for op in logic.logic.ops) == 2


def test_what_comes_late_is_added_last():
    """The last of many numbers to arrive is delayed by a single addition."""
    kinds = [FixedRange(-32, 31, 0)] * 28
    arrivals = [Time(0, 0.0)] * 27 + [Time(3, 0.5)]
    piece = trace_piece(kinds, lambda row: row.sum(1).reshape(1, 1), arrivals, 4.0)
    (ready,) = piece.ready
    assert ready.cycle == 3
    assert ready.level < 0.5 + 1.5


def test_a_part_of_several_sums_is_added_once():
    x = Symbolic.row([FixedRange(-8, 7, 0)] * 4, [0.0] * 4)
    part = x[:, :1] + x[:, 1:2]
    both = Symbolic.concatenated([part + x[:, 2:3], part + x[:, 3:4]])
    logic = circuit({"x": x}, {"y": both})
    assert sum(op.opcode in (0, 1) for op in logic.logic.ops) == 3


@pytest.mark.parametrize("value", [0.0, 1.0, -0.75, 7.0, 23.0, -85.5, 0.6875])
def test_signed_digits(value):
    digits = signed_digits(value)
    assert sum(digits) == value
    exponents = [np.log2(abs(digit)) for digit in digits]
    assert exponents == [round(e) for e in exponents]
    assert all(b - a >= 2 for a, b in itertools.pairwise(exponents))


@pytest.mark.parametrize("count", [2, 4, 8])
def test_a_sum_that_reaches_a_power_of_two(count):
    kinds = [FixedRange(0, 8, 0)] * count
    x = Symbolic.row(kinds, [0.0] * count)
    values = np.vstack([np.full(count, 8.0), values_of(kinds, 50, seed=1)])
    result = circuit({"x": x}, {"y": x.sum(1).reshape(1, 1)}).evaluate({"x": values})
    np.testing.assert_array_equal(result["y"][:, 0], values.sum(1))


def test_numbers_to_be_subtracted_are_not_compressed():
    """Their negatives are natural numbers."""
    kinds = [FixedRange(-15, 0, 0)] * 6
    x = Symbolic.row(kinds, [0.0] * 6)
    values = values_of(kinds, 200, seed=1)
    result = circuit({"x": x}, {"y": (x * -1.0).sum(1).reshape(1, 1)}).evaluate({"x": values})
    np.testing.assert_array_equal(result["y"][:, 0], -values.sum(1))


def test_the_constant_of_a_part_is_multiplied_with_it():
    kinds = [FixedRange(-8, 7, 0)] * 3
    x = Symbolic.row(kinds, [0.0] * 3)
    values = values_of(kinds, 50, seed=1)
    result = circuit({"x": x}, {"y": ((x + 0.5) * 4.0 + 1.0).sum(1).reshape(1, 1)}).evaluate({"x": values})
    np.testing.assert_array_equal(result["y"][:, 0], ((values + 0.5) * 4 + 1).sum(1))

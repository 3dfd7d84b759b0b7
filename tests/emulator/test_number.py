"""Expressions of C++ whose parts could overflow, or mean something else, on other machines than those of the tests."""

from __future__ import annotations

import pytest

from nanopelican_hls.emulator.number import Number
from nanopelican_hls.fixed_point import FixedRange


def variable(name: str, bits: int) -> Number:
    return Number.variable(name, FixedRange(-(1 << (bits - 1)), (1 << (bits - 1)) - 1, 0))


def test_a_difference_of_a_sum_has_parentheses():
    a, b, c = (variable(name, 8) for name in "abc")
    assert (a - (b + c)).text == "a - (b + c)"
    assert (a - (b - c)).text == "a - (b - c)"
    assert (a + (b - c)).text == "a + b - c"


@pytest.mark.parametrize(("bits", "text"), [(31, "a + b"), (32, "int64_t{a} + b")])
def test_an_operand_is_as_wide_as_the_result(bits, text):
    assert (variable("a", bits) + variable("b", bits)).text == text


@pytest.mark.parametrize(("shift", "text"), [(5, "(a >> 5)"), (31, "(a >> 31)"), (32, "(a >> 31)"), (80, "(a >> 31)")])
def test_no_shift_is_as_wide_as_its_type(shift, text):
    """C++ does not define it."""
    assert variable("a", 20).floored(shift).text == text


def test_a_constant_is_rounded_half_to_even():
    halves = [Number.literal(value, -1).rounded(1).value for value in (-5, -3, -1, 1, 3, 5)]
    assert halves == [-2, -2, 0, 0, 2, 2]
    assert [Number.literal(value, -2).rounded(2).value for value in (5, 6, 7, -6, -7)] == [1, 2, 2, -2, -2]

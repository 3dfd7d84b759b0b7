"""Ranges compared with brute force, quantisers with rational arithmetic."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanopelican_hls.errors import ContractError
from nanopelican_hls.fixed_point import EXACT_BITS, MAX_QUANTISER_BITS, FixedRange, Quantiser, Rounding

ranges = st.builds(FixedRange, st.integers(-7, 0), st.integers(0, 7), st.integers(-2, 2))
exactly = settings(derandomize=True, max_examples=150, deadline=None)


def values(r: FixedRange) -> list[Fraction]:
    return [k * Fraction(2) ** r.exponent for k in range(r.low, r.high + 1)]


def hull(results: list[Fraction]) -> tuple[Fraction, Fraction]:
    return min(*results, Fraction(0)), max(*results, Fraction(0))


def ends(r: FixedRange) -> tuple[Fraction, Fraction]:
    unit = Fraction(2) ** r.exponent
    return r.low * unit, r.high * unit


def on_grid(results: list[Fraction], exponent: int) -> bool:
    return all((x / Fraction(2) ** exponent).denominator == 1 for x in results)


class TestFixedRange:
    @exactly
    @given(a=ranges, b=ranges)
    def test_arithmetic_is_tight(self, a, b):
        results = {
            "+": (a + b, [x + y for x in values(a) for y in values(b)]),
            "-": (a - b, [x - y for x in values(a) for y in values(b)]),
            "*": (a * b, [x * y for x in values(a) for y in values(b)]),
            "neg": (-a, [-x for x in values(a)]),
            "halved": (a.halved(), [x / 2 for x in values(a)]),
            "rectified": (a.rectified(), [max(x, Fraction(0)) for x in values(a)]),
            "union": (FixedRange.union([a, b]), values(a) + values(b)),
        }
        for name, (r, exact) in results.items():
            assert ends(r) == hull(exact), name
            assert on_grid(exact, r.exponent), name

    @exactly
    @given(a=ranges, count=st.integers(0, 5))
    def test_sum_of_equal_terms(self, a, count):
        total = FixedRange(0, 0, a.exponent)
        for _ in range(count):
            total = total + a
        assert a.times(count) == total

    @exactly
    @given(a=ranges, shift=st.integers(0, 4))
    def test_finer_grid(self, a, shift):
        finer = a.at(a.exponent - shift)
        assert ends(finer) == ends(a)
        assert finer.exponent == a.exponent - shift

    def test_coarser_grid(self):
        with pytest.raises(ValueError, match=r"grid 2\*\*1 is coarser than 2\*\*0"):
            FixedRange(0, 2, 0).at(1)

    def test_always_holds_zero(self):
        assert FixedRange(3, 5, 0) == FixedRange(0, 5, 0)
        assert FixedRange(-5, -3, 0) == FixedRange(-5, 0, 0)

    def test_bits_are_the_fewest(self):
        for low, high in itertools.product(range(-40, 1), [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 33]):

            def holds(bits, low=low, high=high):
                return -(2 ** (bits - 1)) <= low and high < 2 ** (bits - 1) if low else high < 2**bits

            bits = FixedRange(low, high, 0).bits
            assert holds(bits), (low, high)
            assert bits == (2 if low else 1) or not holds(bits - 1), (low, high)

    def test_integer_bits(self):
        assert FixedRange(-8, 7, -2).integer_bits == 2
        assert FixedRange(0, 255, 3).integer_bits == 11
        assert FixedRange(0, 3, -5).integer_bits == -3

    @exactly
    @given(st.lists(st.builds(lambda k, e: math.ldexp(k, e), st.integers(-99, 99), st.integers(-9, 9)), max_size=6))
    def test_of_values(self, constants):
        r = FixedRange.of_values(constants)
        exact = [Fraction(c) for c in constants]
        assert ends(r) == hull([*exact, Fraction(0)])
        assert on_grid(exact, r.exponent)
        assert not any(exact) or not on_grid(exact, r.exponent + 1)

    def test_of_values_of_any_shape(self):
        assert FixedRange.of_values(np.array([[0.5, -3.0], [0.0, 12.0]])) == FixedRange(-6, 24, -1)
        assert FixedRange.of_values([]) == FixedRange.of_values(np.zeros(3)) == FixedRange(0, 0, 0)
        assert FixedRange.of_values(2.0**40) == FixedRange(0, 1, 40)
        assert FixedRange.of_values(np.float32(0.1)).bits == 24

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_of_values_that_are_not_finite(self, value):
        with pytest.raises(ContractError, match="NaN or infinite"):
            FixedRange.of_values([1.0, value])

    def test_integers_beyond_float64_stay_exact(self):
        wide = FixedRange(-(2**60) + 1, 2**60 - 1, 0)
        assert (wide * wide).high == (2**60 - 1) ** 2
        assert wide.bits == 61 > EXACT_BITS


def quantised(x: float, bits: int, signed: bool, exponent: int, rounding: Rounding) -> int:
    """QONNX ``Quant`` in rational numbers, following its specification."""
    scaled = Fraction(x) / Fraction(2) ** exponent
    below = math.floor(scaled)
    if rounding is Rounding.FLOOR:
        nearest = below
    elif scaled - below == Fraction(1, 2):
        nearest = below if below % 2 == 0 else below + 1
    else:
        nearest = below if scaled - below < Fraction(1, 2) else below + 1
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return min(max(nearest, low), high)


class TestQuantiser:
    @pytest.mark.parametrize(
        ("x", "nearest", "floor"),
        [
            (2.5, 2, 2), (3.5, 4, 3), (-2.5, -2, -3), (-3.5, -4, -4), (0.5, 0, 0), (-0.5, 0, -1), (1.5, 2, 1),
            (-1.5, -2, -2), (2.75, 3, 2), (-2.25, -2, -3), (3.0, 3, 3), (127.5, 127, 127), (127.25, 127, 127),
            (-128.5, -128, -128), (-129.0, -128, -128), (1e9, 127, 127), (-1e9, -128, -128), (0.0, 0, 0),
        ],
    )  # fmt: skip
    def test_truth_table(self, x, nearest, floor):
        """The table of docs/operators/README.md."""
        assert Quantiser(8, True, 0, Rounding.ROUND).integers(x) == nearest
        assert Quantiser(8, True, 0, Rounding.FLOOR).integers(x) == floor

    @settings(derandomize=True, max_examples=600, deadline=None)
    @given(
        x=st.one_of(
            st.floats(-1e6, 1e6),
            st.builds(math.ldexp, st.integers(-(2**26), 2**26), st.integers(-14, 4)),
            st.floats(-1e300, 1e300, allow_subnormal=False),
        ),
        bits=st.integers(2, MAX_QUANTISER_BITS),
        signed=st.booleans(),
        exponent=st.integers(-12, 12),
        rounding=st.sampled_from(Rounding),
    )
    def test_equals_rational_arithmetic(self, x, bits, signed, exponent, rounding):
        quantiser = Quantiser(bits, signed, exponent, rounding)
        expected = quantised(x, bits, signed, exponent, rounding)
        assert int(quantiser.integers(x)) == expected
        assert Fraction(float(quantiser(x))) == expected * Fraction(2) ** exponent

    @pytest.mark.parametrize("rounding", Rounding)
    @pytest.mark.parametrize(
        ("bits", "signed"), [(1, False), (2, True), (8, True), (8, False), (24, True), (24, False)]
    )
    def test_ties_and_their_neighbours(self, bits, signed, rounding):
        quantiser = Quantiser(bits, signed, -3, rounding)
        middle = [0, 1, 2, quantiser.high // 2, quantiser.high - 1, quantiser.high]
        ties = np.array([s * (k + 0.5) / 8 for k in middle for s in (-1, 1)])
        x = np.concatenate([ties, np.nextafter(ties, -np.inf), np.nextafter(ties, np.inf)])
        assert quantiser.integers(x).tolist() == [quantised(v, bits, signed, -3, rounding) for v in x]

    @pytest.mark.parametrize("rounding", Rounding)
    def test_is_idempotent_on_its_whole_range(self, rounding):
        quantiser = Quantiser(8, True, -2, rounding)
        grid = np.arange(quantiser.low, quantiser.high + 1) * quantiser.scale
        np.testing.assert_array_equal(quantiser(grid), grid)
        assert quantiser.range == FixedRange(-128, 127, -2)
        assert quantiser.range.bits == 8

    def test_shape_and_type(self):
        quantiser = Quantiser(8, False, -1)
        assert quantiser(np.ones((2, 3), np.float32)).shape == (2, 3)
        assert quantiser([0.3, 0.8]).tolist() == [0.5, 1.0]
        assert quantiser(0.3).dtype == np.float64
        assert quantiser.integers(0.3).dtype == np.int64

    @pytest.mark.parametrize(
        ("bits", "signed"), [(1, False), (8, False), (2, True), (8, True), (24, True), (24, False)]
    )
    def test_ends(self, bits, signed):
        quantiser = Quantiser(bits, signed, 0)
        assert quantiser.range.bits == bits
        assert quantiser.integers([-1e12, 1e12]).tolist() == [quantiser.low, quantiser.high]

    @pytest.mark.parametrize(("bits", "signed", "least"), [(0, False, 1), (1, True, 2), (25, True, 2), (-1, False, 1)])
    def test_widths_that_are_refused(self, bits, signed, least):
        with pytest.raises(ContractError, match=f"unsupported quantiser width of {bits} bits") as caught:
            Quantiser(bits, signed, 0)
        assert caught.value.remedy == f"use {least} to 24 bits"

    def test_rounding_by_name(self):
        assert Quantiser(8, True, 0, "FLOOR").rounding is Rounding.FLOOR
        with pytest.raises(ValueError, match="CEIL"):
            Quantiser(8, True, 0, "CEIL")


def test_constants_may_span_more_than_the_exponents_of_float64():
    values = [1e300, -1e-300]
    wide = FixedRange.of_values(values)
    assert wide.high == int(Fraction(1e300) / Fraction(2) ** wide.exponent)
    assert wide.low == int(Fraction(-1e-300) / Fraction(2) ** wide.exponent)


def test_values_whose_quotient_overflows_saturate():
    assert Quantiser(8, True, -100).integers([1e308, -1e308]).tolist() == [127, -128]

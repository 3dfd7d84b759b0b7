"""Quantisers as logic: all values of many source types, against `Quantiser`."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.rtl.circuit import circuit
from nanopelican_hls.rtl.quantise import quantised
from nanopelican_hls.rtl.symbolic import Symbolic

TARGETS = [
    Quantiser(bits, signed, exponent, rounding)
    for bits, signed, exponent, rounding in itertools.product((1, 2, 4, 9), (False, True), (-4, -1, 0, 2, 8), Rounding)
    if bits > signed
]


def differences(source: Quantiser, factor: float, offset: float, targets: list[Quantiser]) -> list[Quantiser]:
    """Targets to which any value of ``factor * x + offset``, with x from `source`, is quantised wrongly."""
    x = Symbolic.inputs((1, 1), source)
    values = np.arange(source.low, source.high + 1)[:, None] * source.scale
    logic = circuit({"x": x}, {str(k): (x * factor + offset).quantised(target) for k, target in enumerate(targets)})
    results = logic.evaluate({"x": values})
    expected = [target(values * factor + offset) for target in targets]
    return [target for k, target in enumerate(targets) if (results[str(k)] != expected[k]).any()]


@pytest.mark.parametrize("offset", [0.0, 0.5, 1.5, -3.0])
@pytest.mark.parametrize("source", [Quantiser(1, False, -2), Quantiser(5, True, -2), Quantiser(8, False, 0)], ids=repr)
def test_equals_the_quantiser(source, offset):
    assert differences(source, 1.0, offset, TARGETS) == []


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.5])
@pytest.mark.parametrize("source_exponent", [-9, -43])
def test_only_the_sign_is_left_on_a_grid_far_above(source_exponent, factor):
    target = Quantiser(5, True, 26, Rounding.FLOOR)
    assert differences(Quantiser(9, True, source_exponent), factor, 0.0, [target]) == []


@settings(deadline=None, max_examples=25)
@given(
    source=st.builds(Quantiser, st.integers(2, 9), st.booleans(), st.integers(-3, 3)),
    factor=st.sampled_from([-4.0, -1.0, -0.5, 0.25, 1.0, 2.0, 3.0, 8.0]),
    offset=st.integers(-40, 40).map(lambda n: n / 4),
    target=st.builds(Quantiser, st.integers(2, 9), st.booleans(), st.integers(-4, 8), st.sampled_from(Rounding)),
)
def test_equals_the_quantiser_after_arithmetic(source, factor, offset, target):
    assert differences(source, factor, offset, [target]) == []


@pytest.mark.parametrize("offset", [0.0, 0.25, 0.5, 0.75, 1.0, -0.25])
@pytest.mark.parametrize("source", [Quantiser(3, True, 0), Quantiser(4, True, 1), Quantiser(5, True, -2)], ids=repr)
def test_half_a_unit_may_have_been_added_before(source, offset):
    """Including cases in which every value is a tie."""
    target = Quantiser(6, True, -1)
    values = np.arange(source.low, source.high + 1)[:, None] * source.scale
    x = Symbolic.inputs((1, 1), source)
    rounded = (x + (offset + target.scale / 2)).quantised(target, half_added=True)
    results = circuit({"x": x}, {"y": rounded}).evaluate({"x": values})
    np.testing.assert_array_equal(results["y"], target(values + offset))


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("value", [0.0, 0.25, 0.5, 0.75, 1.25, -0.25, -0.75, 40.0])
def test_half_a_unit_may_have_been_added_to_a_constant(value, rounding):
    target = Quantiser(6, True, -1, rounding)
    assert quantised(value + target.scale / 2, target, half_added=True) == target(value)
    assert quantised(value, target) == target(value)

"""The Brevitas quantiser equals `fixed_point.Quantiser` for every width, scale, sign and rounding mode."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.network.tensor_quantiser import TensorQuantiser

quantisers = st.builds(
    Quantiser,
    bits=st.integers(2, 24),
    signed=st.booleans(),
    exponent=st.integers(-40, 40),
    rounding=st.sampled_from(Rounding),
)
#: in units of the grid: arbitrary values, and values near ties and the ends of the range
steps = st.one_of(
    st.floats(-(2.0**26), 2.0**26), st.integers(-(2**25), 2**25).map(lambda k: k / 2), st.floats(-1e30, 1e30)
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(quantisers, st.lists(steps, min_size=1, max_size=20))
def test_equals_fixed_point(quantiser, values):
    x = np.array([*values, quantiser.high + 0.5, quantiser.low - 0.5, quantiser.high, quantiser.low, 0.5, 1.5, -0.5])
    x = x * quantiser.scale
    found = TensorQuantiser(quantiser)(torch.as_tensor(x)).numpy()
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, quantiser(x))


@settings(derandomize=True, deadline=None, max_examples=100)
@given(quantisers)
def test_gives_its_quantiser_back(quantiser):
    module = TensorQuantiser(quantiser)
    assert module.quantiser == quantiser
    assert module.float().double().quantiser == quantiser
    module.exponent += 3
    assert module.quantiser.exponent == quantiser.exponent + 3


@pytest.mark.parametrize("rounding", Rounding)
def test_gradient_is_straight_through_and_zero_where_saturated(rounding):
    module = TensorQuantiser(Quantiser(4, True, -1, rounding))
    x = torch.tensor([-9.0, -1.3, 0.2, 3.3, 9.0], dtype=torch.float64, requires_grad=True)
    module(x).sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 0]

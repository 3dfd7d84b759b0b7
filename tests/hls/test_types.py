"""Types of C++ for quantisers and ranges."""

from __future__ import annotations

import pytest

from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding
from nanopelican_hls.hls.layers import exact_type, quantiser_type


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("rounding", "mode"), [(Rounding.ROUND, "RND_CONV"), (Rounding.FLOOR, "TRN")])
@pytest.mark.parametrize("exponent", [-3, 0, 5])
def test_a_quantiser(signed, rounding, mode, exponent):
    found = quantiser_type(Quantiser(8, signed, exponent, rounding))
    assert (found.width, found.integer, found.signed) == (8, 8 + exponent, signed)
    assert (str(found.rounding_mode), str(found.saturation_mode)) == (mode, "SAT")


def test_a_range():
    found = exact_type(FixedRange(-5, 8, -2))
    assert (found.width, found.integer, found.signed) == (5, 3, True)
    assert exact_type(FixedRange(0, 8, -2), least_bits=9).width == 9

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from operator_tests import Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.multiplicity_bin import MULTIPLICITY, MultiplicityBin

COUNTS = FixedRange(0, 120, 0)


class TestMultiplicityBin(OperatorTests):
    operator = MultiplicityBin
    cases = (
        Case("wide", {"n": (1,)}, {"low": 24, "width": 4, "bins": 16}),
        Case("narrow", {"n": (1,)}, {"low": 30, "width": 1, "bins": 8}),
        Case("from-zero", {"n": (1,)}, {"low": 0, "width": 2, "bins": 2}),
    )
    limited = {"n": COUNTS}

    @staticmethod
    def terms(index, given):
        found = (given["n"][index[0]][0] - given["low"]) // given["width"]
        return [Fraction(max(0, min(given["bins"] - 1, found)))]

    def test_every_multiplicity(self, case):
        low, width, bins = case.attributes.values()
        counts = np.arange(MULTIPLICITY.high + 1)
        found = MultiplicityBin(**case.attributes).compute(counts[:, None].astype(float))[:, 0]
        edges = low + width * np.arange(1, bins)
        np.testing.assert_array_equal(found, np.searchsorted(edges, counts, side="right"))

    def test_the_range_is_tight(self, case):
        bound = MultiplicityBin(**case.attributes).range(COUNTS, shapes=[(1, 1)], values={})
        found = MultiplicityBin(**case.attributes).compute(np.array([[0.0], [float(MULTIPLICITY.high)]]))
        assert (bound.low, bound.high, bound.exponent) == (*found[:, 0], 0)

    def test_fractions_of_a_constituent(self):
        with pytest.raises(ValueError, match="fractional bits, expected whole numbers"):
            MultiplicityBin().range(FixedRange(0, 9, -1), shapes=[(1, 1)], values={})

    @pytest.mark.parametrize(("width", "bins"), [(0, 4), (3, 4), (2, 1), (2, 5)])
    def test_attributes_that_mean_nothing(self, width, bins):
        with pytest.raises(ValueError, match="expected powers of two, bins at least 2"):
            MultiplicityBin(0, width, bins).shape((1, 1))

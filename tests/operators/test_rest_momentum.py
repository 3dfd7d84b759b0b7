from __future__ import annotations

import numpy as np
import pytest
from operator_tests import Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.rest_momentum import RestMomentum


class TestRestMomentum(OperatorTests):
    operator = RestMomentum
    cases = (Case("along", {"c": (5,), "jet": (1,)}), Case("transverse", {"c": (5,)}))

    @staticmethod
    def terms(index, given):
        jet = [] if given["jet"] is None else [given["jet"][index[0]][0]]
        return [*jet, *(-c for c in given["c"][index[0]])]

    def test_with_the_constituents_it_is_the_jet(self):
        rng = np.random.default_rng(0)
        c, jet = rng.integers(-99, 99, (4, 7)).astype(float), rng.integers(-99, 99, (4, 1)).astype(float)
        np.testing.assert_array_equal(RestMomentum().compute(c, jet) + c.sum(1)[:, None], jet)

    def test_is_invariant_under_permutations(self):
        rng = np.random.default_rng(1)
        c, jet = rng.integers(-99, 99, (4, 7)).astype(float), np.ones((4, 1))
        np.testing.assert_array_equal(
            RestMomentum().compute(c[:, rng.permutation(7)], jet), RestMomentum().compute(c, jet)
        )

    @pytest.mark.parametrize(("jet", "bound"), [(FixedRange(0, 9, 0), (-35, 49)), (None, (-35, 40))])
    def test_the_range_is_tight(self, jet, bound):
        found = RestMomentum().range(FixedRange(-8, 7, 0), jet, shapes=[(1, 5), (1, 1)], values={})
        assert (found.low, found.high, found.exponent) == (*bound, 0)

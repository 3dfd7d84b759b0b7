from __future__ import annotations

import numpy as np
from operator_tests import Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.row_sums import RowSums
from nanopelican_hls.operators.total_sum import TotalSum


class TestTotalSum(OperatorTests):
    operator = TotalSum
    cases = (Case("five", {"r": (5,)}), Case("one", {"r": (1,)}))

    @staticmethod
    def terms(index, given):
        return given["r"][index[0]]

    def test_counts_every_pair_twice(self):
        d = np.random.default_rng(0).integers(0, 99, (4, 10)).astype(float)
        total = TotalSum().compute(RowSums(particles=5).compute(d, None, None))
        np.testing.assert_array_equal(total[:, 0], 2 * d.sum(1))

    def test_counts_the_mass_of_the_jet_once(self):
        d, d_jet, d_jj = np.array([[1.0]]), np.array([[10.0, 20.0]]), np.array([[700.0]])
        assert TotalSum().compute(RowSums(particles=3).compute(d, d_jet, d_jj)) == 2 * (1 + 10 + 20) + 700

    def test_is_invariant_under_permutations(self):
        rng = np.random.default_rng(1)
        r = rng.integers(-99, 99, (4, 7)).astype(float)
        np.testing.assert_array_equal(TotalSum().compute(r[:, rng.permutation(7)]), TotalSum().compute(r))

    def test_the_range_is_tight(self):
        bound = TotalSum().range(FixedRange(-8, 7, -1), shapes=[(1, 5)], values={})
        assert bound == FixedRange(-40, 35, -1)
        assert TotalSum().compute(np.full((1, 5), 3.5)) == 17.5
        assert TotalSum().compute(np.full((1, 5), -4.0)) == -20

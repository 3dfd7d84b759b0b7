from __future__ import annotations

import numpy as np
import pytest
from operator_tests import MASK, Case, OperatorTests, condense, condense_both, pair_indices, permuted

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.pair_sum import PairSum
from nanopelican_hls.operators.spurion_sum import SpurionSum

M, C = 4, 2
P = M * (M - 1) // 2


class TestSpurionSum(OperatorTests):
    operator = SpurionSum
    cases = (Case("symmetric", {"z": (P, C), "mask": (M,)}), Case("untied", {"z": (2 * P, C), "mask": (M,)}))

    @staticmethod
    def terms(index, given):
        """Both orders of every pair of particle 0 and a valid particle."""
        jet, channel = index
        z, mask, pairs = given["z"][jet], given["mask"][jet], pair_indices(M)
        both = [z[k][channel] for k, (i, j) in enumerate(pairs) if i == 0 and mask[j]]
        mirrored = [z[k + P][channel] for k, (i, j) in enumerate(pairs) if i == 0 and mask[j]] if len(z) > P else both
        return [*both, *mirrored]

    @pytest.mark.parametrize("layout", [condense, condense_both])
    def test_is_invariant_under_permutations_of_the_others(self, layout):
        rng = np.random.default_rng(0)
        z = rng.integers(-50, 50, (3, M, M, C)).astype(float)
        z = z + z.swapaxes(1, 2) if layout is condense else z
        mask, order = rng.integers(0, 2, (3, M)).astype(float), np.array([0, 3, 1, 2])
        first = SpurionSum().compute(layout(z), mask)
        np.testing.assert_array_equal(SpurionSum().compute(layout(permuted(z, order)), mask[:, order]), first)

    @pytest.mark.parametrize("layout", [condense, condense_both])
    def test_is_part_of_the_sum_over_all_pairs(self, layout):
        """What is left without particle 0 is the sum over the pairs of the others."""
        rng = np.random.default_rng(1)
        z = rng.integers(-50, 50, (3, M, M, C)).astype(float)
        z = z + z.swapaxes(1, 2) if layout is condense else z
        mask = rng.integers(0, 2, (3, M)).astype(float)
        mask[:, 0] = 1
        others = PairSum().compute(layout(z[:, 1:, 1:]), mask[:, 1:])
        total = PairSum().compute(layout(z), mask)
        np.testing.assert_array_equal(SpurionSum().compute(layout(z), mask) + others, total)

    @pytest.mark.parametrize("entries", [P, 2 * P])
    def test_the_range_is_tight(self, entries):
        bound = SpurionSum().range(FixedRange(-8, 7, -2), MASK, shapes=[(1, entries, C), (1, M)], values={})
        assert bound == FixedRange(-8 * 2 * (M - 1), 7 * 2 * (M - 1), -2)
        assert (SpurionSum().compute(np.full((1, entries, C), 7 / 4), np.ones((1, M))) == 7 / 4 * 2 * (M - 1)).all()

    @pytest.mark.parametrize("entries", [P - 1, P + 1, 3 * P])
    def test_another_number_of_entries(self, entries):
        with pytest.raises(ValueError, match=f"{entries} entries for 4 particles, expected 6 or 12"):
            SpurionSum().shape((1, entries, C), (1, M))

from __future__ import annotations

import numpy as np
import pytest
from operator_tests import MASK, Case, OperatorTests, condense, condense_both, pair_indices, permuted

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.pair_sum import PairSum

M, C = 4, 2
P = M * (M - 1) // 2


class TestPairSum(OperatorTests):
    operator = PairSum
    cases = (Case("symmetric", {"z": (P, C), "mask": (M,)}), Case("untied", {"z": (2 * P, C), "mask": (M,)}))

    @staticmethod
    def terms(index, given):
        """Every ordered pair i != j of valid particles, on the full array."""
        jet, channel = index
        z, mask = given["z"][jet], given["mask"][jet]
        position = {pair: k for k, pair in enumerate(pair_indices(M))}
        terms = []
        for i in range(M):
            for j in range(M):
                if i != j and mask[i] and mask[j]:
                    mirrored = i > j and len(z) > len(position)
                    terms.append(z[position[min(i, j), max(i, j)] + mirrored * len(position)][channel])
        return terms

    @pytest.mark.parametrize("layout", [condense, condense_both])
    def test_is_invariant_under_permutations(self, layout):
        rng = np.random.default_rng(0)
        z = rng.integers(-50, 50, (3, M, M, C)).astype(float)
        z = z + z.swapaxes(1, 2) if layout is condense else z
        mask, order = rng.integers(0, 2, (3, M)).astype(float), rng.permutation(M)
        first = PairSum().compute(layout(z), mask)
        np.testing.assert_array_equal(PairSum().compute(layout(permuted(z, order)), mask[:, order]), first)

    def test_invalid_particles_add_nothing(self):
        z = np.full((M + 1, P, C), 7.0)
        mask = np.tril(np.ones((M + 1, M)), -1)
        assert PairSum().compute(z, mask)[:, 0].tolist() == [7 * n * (n - 1) for n in range(M + 1)]

    @pytest.mark.parametrize("entries", [P, 2 * P])
    def test_the_range_is_tight(self, entries):
        bound = PairSum().range(FixedRange(-8, 7, -2), MASK, shapes=[(1, entries, C), (1, M)], values={})
        assert bound == FixedRange(-8 * 2 * P, 7 * 2 * P, -2)
        assert (PairSum().compute(np.full((1, entries, C), 7 / 4), np.ones((1, M))) == 7 / 4 * 2 * P).all()

    @pytest.mark.parametrize("entries", [P - 1, P + 1, 3 * P])
    def test_another_number_of_entries(self, entries):
        with pytest.raises(ValueError, match=f"{entries} entries for 4 particles, expected 6 or 12"):
            PairSum().shape((1, entries, C), (1, M))

from __future__ import annotations

import numpy as np
import pytest
from operator_tests import Case, OperatorTests, condense, pair_indices, permuted

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.row_sums import RowSums


def symmetric_matrix(rng, m):
    upper = np.triu(rng.integers(0, 50, (3, m, m)), 1)
    return (upper + upper.swapaxes(1, 2)).astype(float)


class TestRowSums(OperatorTests):
    operator = RowSums
    cases = (
        Case("no-spurion", {"d": (10,)}, {"particles": 5}),
        Case("two-particles", {"d": (1,)}, {"particles": 2}),
        Case("jet", {"d": (6,), "d_jet": (4,), "d_jj": (1,)}, {"particles": 5}),
    )

    @staticmethod
    def terms(index, given):
        """Row i of the M x M array, whose diagonal is 0 except for the jet's own product."""
        jet, row = index
        m = given["particles"]
        matrix = [[0] * m for _ in range(m)]
        spurion = int(given["d_jj"] is not None)
        for k, (i, j) in enumerate(pair_indices(m - spurion)):
            matrix[i + spurion][j + spurion] = matrix[j + spurion][i + spurion] = given["d"][jet][k]
        if spurion:
            matrix[0][0] = given["d_jj"][jet][0]
            for i in range(1, m):
                matrix[0][i] = matrix[i][0] = given["d_jet"][jet][i - 1]
        return matrix[row]

    def test_follows_permutations(self):
        rng = np.random.default_rng(0)
        matrix, order = symmetric_matrix(rng, 6), rng.permutation(6)
        r = RowSums(particles=6).compute(condense(matrix), None, None)
        permuted_r = RowSums(particles=6).compute(condense(permuted(matrix, order)), None, None)
        np.testing.assert_array_equal(permuted_r, r[:, order])

    def test_with_the_jet_the_constituents_permute(self):
        rng = np.random.default_rng(1)
        matrix, order = symmetric_matrix(rng, 5), rng.permutation(5)
        d_jet, d_jj = rng.integers(0, 50, (3, 5)).astype(float), rng.integers(0, 50, (3, 1)).astype(float)
        r = RowSums(particles=6).compute(condense(matrix), d_jet, d_jj)
        permuted_r = RowSums(particles=6).compute(condense(permuted(matrix, order)), d_jet[:, order], d_jj)
        np.testing.assert_array_equal(permuted_r, r[:, [0, *(1 + order)]])

    def test_the_range_is_tight(self):
        d, d_jet, d_jj = FixedRange(-1, 15, 0), FixedRange(0, 31, 1), FixedRange(0, 255, 2)
        alone = RowSums(particles=4).range(d, None, None, shapes=[(1, 6), None, None], values={})
        r = RowSums(particles=4).compute(np.full((1, 6), 15.0), None, None)
        assert alone == FixedRange(-3, 45, 0)
        assert r.max() == 45
        shapes = [(1, 3), (1, 3), (1, 1)]
        with_jet = RowSums(particles=4).range(d, d_jet, d_jj, shapes=shapes, values={})
        r = RowSums(particles=4).compute(np.full((1, 3), 15.0), np.full((1, 3), 62.0), np.full((1, 1), 1020.0))
        assert with_jet == FixedRange(-2, 3 * 62 + 1020, 0)
        assert r.tolist() == [[3 * 62 + 1020, *[2 * 15 + 62] * 3]]

    def test_the_jet_without_its_mass(self):
        with pytest.raises(ValueError, match="d_jet without d_jj"):
            RowSums(particles=4).shape((1, 3), (1, 3), None)

    @pytest.mark.parametrize("particles", [2, 3, 5])
    def test_another_number_of_particles(self, particles):
        with pytest.raises(ValueError, match=f"do not match the row sums of {particles}"):
            RowSums(particles=particles).shape((1, 6), None, None)

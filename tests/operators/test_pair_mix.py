from __future__ import annotations

import numpy as np
import pytest
from operator_tests import Case, OperatorTests, condense, condense_both, pair_indices, permuted

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.pair_mix import PairMix

M, C = 4, 2
P = M * (M - 1) // 2
SYMMETRIC = {"d": (P,), "row": (M, C), "w_d": (C,)}
JET = {"d": (3,), "d_jet": (3,)}


class TestPairMix(OperatorTests):
    operator = PairMix
    cases = (
        Case("symmetric", SYMMETRIC),
        Case("untied", SYMMETRIC | {"column": (M, C)}),
        Case("symmetric-jet", SYMMETRIC | JET),
        Case("untied-jet", SYMMETRIC | JET | {"column": (M, C)}),
    )

    @staticmethod
    def terms(index, given):
        """z_ij = w_d d_ij + row_i + column_j on the full array; the entries (j, i) follow the entries (i, j)."""
        jet, entry, channel = index
        pairs = pair_indices(M)
        i, j = pairs[entry % len(pairs)]
        products = dict(zip(pairs, (given["d_jet"] or [[]] * 99)[jet] + given["d"][jet], strict=True))
        if entry >= len(pairs):
            i, j = j, i
        columns = given["row"] if given["column"] is None else given["column"]
        d = products[min(i, j), max(i, j)]
        return [given["w_d"][channel] * d, given["row"][jet][i][channel], columns[jet][j][channel]]

    def test_untied_with_equal_terms_is_the_symmetric_form_twice(self):
        d, row, w_d, *_ = self.ordinary_inputs(self.cases[0])
        symmetric = PairMix().compute(d, row, w_d, None, None)
        untied = PairMix().compute(d, row, w_d, row, None)
        np.testing.assert_array_equal(untied, np.concatenate([symmetric, symmetric], axis=1))

    @pytest.mark.parametrize("untied", [False, True])
    def test_follows_permutations(self, untied):
        rng = np.random.default_rng(0)
        upper = np.triu(rng.integers(0, 50, (3, M, M)), 1)
        d = (upper + upper.swapaxes(1, 2)).astype(float)
        row, column = rng.integers(-50, 50, (2, 3, M, C)).astype(float)
        order, w_d = rng.permutation(M), np.array([2.0, -3.0])
        full = d[..., None] * w_d + row[:, :, None] + (column if untied else row)[:, None, :]
        again = PairMix().compute(
            condense(permuted(d, order)), row[:, order], w_d, column[:, order] if untied else None, None
        )
        layout = condense_both if untied else condense
        np.testing.assert_array_equal(again, layout(permuted(full, order)))

    def test_one_multiplication_a_pair_and_channel(self, case):
        """Entries (i, j) and (j, i) share it."""
        assert PairMix().hls_config(*self.shapes(case))["n_multiplications"] == P * C

    def test_the_range_is_tight(self):
        d, row, d_jet = FixedRange(0, 15, 0), FixedRange(-8, 7, 0), FixedRange(0, 15, 2)
        values = {"w_d": np.array([1.0, -2.0])}
        assert PairMix().range(d, row, None, None, None, shapes=[], values=values) == FixedRange(-30 - 16, 15 + 14, 0)
        with_jet = PairMix().range(d, row, None, FixedRange(-4, 3, 0), d_jet, shapes=[], values=values)
        assert with_jet == FixedRange(-120 - 12, 60 + 10, 0)
        z = PairMix().compute(np.full((1, 1), 15.0), np.full((1, 2, 2), [7.0, -8.0]), values["w_d"], None, None)
        assert z.tolist() == [[[29, -46]]]

    @pytest.mark.parametrize(
        ("d", "d_jet", "message"),
        [
            (5, None, "5 products do not match the pairs of 4"),
            (6, 3, "9 products"),
            (2, 4, "6 products"),
        ],
    )
    def test_products_of_other_particles(self, d, d_jet, message):
        with pytest.raises(ValueError, match=message):
            PairMix().shape((1, d), (1, M, C), (C,), None, d_jet and (1, d_jet))

    def test_columns_of_other_particles(self):
        with pytest.raises(ValueError, match=r"column has shape \(1, 5, 2\), expected \(1, 4, 2\)"):
            PairMix().shape((1, P), (1, M, C), (C,), (1, 5, C), None)

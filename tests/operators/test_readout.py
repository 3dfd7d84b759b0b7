from __future__ import annotations

import numpy as np
import pytest
from operator_tests import MASK, Case, OperatorTests, selected_row, selected_weights

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.readout import Readout

M, C = 4, 3
CONSTANT = {"pair_sum": (C,), "diagonal_sum": (C,), "k_pair": (C,), "k_diagonal": (C,), "bias": (1, 1)}
TABLE = CONSTANT | {"bias": (M + 1, 1), "mask": (M,)}
BINS = CONSTANT | {"bias": (6, 1), "multiplicity_bin": (1,)}
WEIGHTS = {"k_pair": (M + 1, C), "k_diagonal": (M + 1, C)}
WEIGHT_BINS = {"k_pair": (6, C), "k_diagonal": (6, C)}
SPURION = {"spurion_sum": (C,), "k_spurion": (C,)}
#: the optional inputs after the mask
ABSENT = (None,) * 3


class TestReadout(OperatorTests):
    operator = Readout
    cases = (
        Case("constant", CONSTANT),
        Case("idle-mask", CONSTANT | {"mask": (M,)}),
        Case("table", TABLE),
        Case("bins", BINS),
        Case("spurion", CONSTANT | SPURION),
        Case("bins-spurion", BINS | SPURION),
        Case("weights", CONSTANT | WEIGHTS | {"mask": (M,)}),
        Case("table-weights-spurion", TABLE | WEIGHTS | SPURION),
        Case("bins-weight-bins", BINS | WEIGHT_BINS),
    )
    limited = {"mask": MASK, "multiplicity_bin": FixedRange(0, 5, 0)}

    @staticmethod
    def terms(index, given):
        jet, _ = index
        terms = [given["bias"][0 if len(given["bias"]) == 1 else selected_row(given, jet)][0]]
        for channel in range(C):
            for weights, sums in (("k_pair", "pair_sum"), ("k_diagonal", "diagonal_sum")):
                terms.append(selected_weights(given, weights, jet)[channel] * given[sums][jet][channel])
            if given["spurion_sum"] is not None:
                terms.append(given["k_spurion"][channel] * given["spurion_sum"][jet][channel])
        return terms

    def test_every_row_of_the_table_is_used(self):
        mask = np.tril(np.ones((M + 1, M)), -1)
        table = np.array([[5.0], [-3.0], [1.0], [8.0], [-8.0]])
        zero, weights = np.zeros((M + 1, C)), np.ones(C)
        np.testing.assert_array_equal(Readout().compute(zero, zero, weights, weights, table, mask, *ABSENT), table)

    def test_every_row_of_the_weights_is_used(self):
        mask = np.tril(np.ones((M + 1, M)), -1)
        k_pair, k_diagonal = np.arange(2.0 * (M + 1) * C).reshape(2, M + 1, C)
        ones, bias = np.ones((M + 1, C)), np.zeros((1, 1))
        found = Readout().compute(ones, 100 * ones, k_pair, k_diagonal, bias, mask, *ABSENT)
        np.testing.assert_array_equal(found[:, 0], (k_pair + 100 * k_diagonal).sum(1))

    def test_the_range_of_tables_is_that_of_their_extremes(self):
        values = {
            "k_pair": np.array([[2.0, -1.0], [-3.0, 0.5]]),
            "k_diagonal": np.zeros((2, 2)),
            "bias": np.ones((1, 1)),
        }
        sums, bins = FixedRange(0, 100, 0), FixedRange(0, 1, 0)
        bound = Readout().range(sums, sums, *[None] * 4, bins, None, None, shapes=[None] * 9, values=values)
        assert bound == FixedRange((-300 - 100) * 2, (200 + 50 + 1) * 2, -1)

    @pytest.mark.parametrize(("with_spurion", "expected"), [(False, 2 * C), (True, 3 * C)])
    def test_multiplications(self, with_spurion, expected):
        spurion = [(1, C), (C,)] if with_spurion else [None, None]
        found = Readout().hls_config((1, C), (1, C), (C,), (C,), (1, 1), None, None, *spurion)
        assert found["n_multiplications"] == expected

    def test_channels_may_be_exchanged(self):
        rng = np.random.default_rng(0)
        pair_sum, diagonal_sum, k_pair, k_diagonal, bias, *_ = self.ordinary_inputs(self.cases[0])
        order = rng.permutation(C)
        first = Readout().compute(pair_sum, diagonal_sum, k_pair, k_diagonal, bias, None, *ABSENT)
        again = Readout().compute(
            pair_sum[:, order], diagonal_sum[:, order], k_pair[order], k_diagonal[order], bias, None, *ABSENT
        )
        np.testing.assert_array_equal(again, first)

    def test_the_range_is_tight(self):
        """The channels have separate weights, so each reaches its ends independently."""
        values = {"k_pair": np.array([2.0, -1.0]), "k_diagonal": np.array([0.5, 4.0]), "bias": np.array([[-3.0]])}
        sums = FixedRange(0, 100, 0)
        bound = Readout().range(sums, sums, *[None] * 7, shapes=[None] * 9, values=values)
        assert bound == FixedRange(-206, 1300, -1)
        high = Readout().compute(np.array([[100.0, 0]]), np.array([[100.0, 100]]), *values.values(), None, *ABSENT)
        low = Readout().compute(np.array([[0.0, 100]]), np.zeros((1, 2)), *values.values(), None, *ABSENT)
        assert (low, high) == (-103, 650 - 3)

    @pytest.mark.parametrize(
        ("k_pair", "k_diagonal", "mask", "message"),
        [
            ((M + 1, C), (M + 1, C), None, "table of weights is a table of 5 rows, but there is no mask"),
            ((M, C), (M, C), (1, M), "table of weights has 4 rows, expected 1 or 5"),
            ((M + 1, C), (C,), (1, M), "some weights are tables"),
        ],
    )
    def test_weights_that_do_not_fit(self, k_pair, k_diagonal, mask, message):
        with pytest.raises(ValueError, match=message):
            Readout().shape((1, C), (1, C), k_pair, k_diagonal, (1, 1), mask, *ABSENT)

    @pytest.mark.parametrize(
        ("bias", "mask", "message"),
        [((M + 1, 1), None, "no mask"), ((M, 1), (1, M), "expected 1 or 5"), ((1, 2), None, "expected .*1")],
    )
    def test_biases_that_do_not_fit(self, bias, mask, message):
        with pytest.raises(ValueError, match=message):
            Readout().shape((1, C), (1, C), (C,), (C,), bias, mask, *ABSENT)

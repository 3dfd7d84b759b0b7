from __future__ import annotations

import numpy as np
import pytest
from operator_tests import Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.readout import Readout

M, C = 4, 3
CONSTANT = {"pair_sum": (C,), "diagonal_sum": (C,), "k_pair": (C,), "k_diagonal": (C,), "bias": (1, 1)}
TABLE = CONSTANT | {"bias": (M + 1, 1), "mask": (M,)}


class TestReadout(OperatorTests):
    operator = Readout
    cases = (Case("constant", CONSTANT), Case("idle-mask", CONSTANT | {"mask": (M,)}), Case("table", TABLE))

    @staticmethod
    def terms(index, given):
        jet, _ = index
        valid = sum(given["mask"][jet]) if len(given["bias"]) > 1 else 0
        terms = [given["bias"][int(valid)][0]]
        for channel in range(C):
            terms.append(given["k_pair"][channel] * given["pair_sum"][jet][channel])
            terms.append(given["k_diagonal"][channel] * given["diagonal_sum"][jet][channel])
        return terms

    def test_every_row_of_the_table_is_used(self):
        mask = np.tril(np.ones((M + 1, M)), -1)
        table = np.array([[5.0], [-3.0], [1.0], [8.0], [-8.0]])
        zero, weights = np.zeros((M + 1, C)), np.ones(C)
        np.testing.assert_array_equal(Readout().compute(zero, zero, weights, weights, table, mask), table)

    def test_channels_may_be_exchanged(self):
        rng = np.random.default_rng(0)
        pair_sum, diagonal_sum, k_pair, k_diagonal, bias, _ = self.ordinary_inputs(self.cases[0])
        order = rng.permutation(C)
        first = Readout().compute(pair_sum, diagonal_sum, k_pair, k_diagonal, bias, None)
        again = Readout().compute(
            pair_sum[:, order], diagonal_sum[:, order], k_pair[order], k_diagonal[order], bias, None
        )
        np.testing.assert_array_equal(again, first)

    def test_the_range_is_tight(self):
        """The channels have separate weights, so each reaches its ends independently."""
        values = {"k_pair": np.array([2.0, -1.0]), "k_diagonal": np.array([0.5, 4.0]), "bias": np.array([[-3.0]])}
        sums = FixedRange(0, 100, 0)
        bound = Readout().range(sums, sums, *[None] * 4, shapes=[None] * 6, values=values)
        assert bound == FixedRange(-206, 1300, -1)
        high = Readout().compute(np.array([[100.0, 0]]), np.array([[100.0, 100]]), *values.values(), None)
        low = Readout().compute(np.array([[0.0, 100]]), np.zeros((1, 2)), *values.values(), None)
        assert (low, high) == (-103, 650 - 3)

    @pytest.mark.parametrize(
        ("bias", "mask", "message"),
        [((M + 1, 1), None, "no mask"), ((M, 1), (1, M), "expected 1 or 5"), ((1, 2), None, "expected .*1")],
    )
    def test_biases_that_do_not_fit(self, bias, mask, message):
        with pytest.raises(ValueError, match=message):
            Readout().shape((1, C), (1, C), (C,), (C,), bias, mask)

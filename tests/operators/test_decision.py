from __future__ import annotations

from fractions import Fraction

import numpy as np
from operator_tests import Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.decision import Decision


class TestDecision(OperatorTests):
    operator = Decision
    cases = (Case("binary", {"logit": (1,), "threshold": (1,)}),)

    @staticmethod
    def terms(index, given):
        return [Fraction(given["logit"][index[0]][0] >= given["threshold"][0])]

    def test_the_threshold_itself_passes(self):
        logits = np.array([[1.25], [1.5], [1.75], [-1.5]])
        np.testing.assert_array_equal(Decision().compute(logits, np.array([1.5]))[:, 0], [0, 1, 1, 0])

    def test_range_is_a_bit(self):
        values = {"threshold": np.array([0.5])}
        assert Decision().range(FixedRange(-9, 9, -1), None, shapes=[(1, 1), (1,)], values=values) == FixedRange(
            0, 1, 0
        )

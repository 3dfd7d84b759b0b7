from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from operator_tests import Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.score import Score


class TestScore(OperatorTests):
    operator = Score
    cases = (
        Case("saturating", {"logit": (1,), "table": (16,)}, {"fraction_bits": 0}),
        Case("finer-than-the-logit", {"logit": (1,), "table": (128,)}, {"fraction_bits": 2}),
        Case("two-entries", {"logit": (1,), "table": (2,)}, {"fraction_bits": 3}),
    )

    @staticmethod
    def terms(index, given):
        half = len(given["table"]) // 2
        entry = given["logit"][index[0]][0] * 2 ** given["fraction_bits"] // 1
        return [given["table"][int(max(-half, min(half - 1, entry))) + half]]

    def test_every_entry_is_used_in_order(self):
        logits = np.arange(-40, 40)[:, None] / 8
        found = Score(fraction_bits=1).compute(logits, np.arange(16.0))
        np.testing.assert_array_equal(found[:, 0], np.clip(np.floor(np.arange(-40, 40) / 4), -8, 7) + 8)

    @pytest.mark.parametrize("entries", [1, 3, 12])
    def test_table_that_no_index_fills(self, entries):
        with pytest.raises(ValueError, match=f"the table has {entries} entries, expected a power of two"):
            Score().shape((1, 1), (entries,))

    @pytest.mark.parametrize("bits", [-1, 24])
    def test_grid_that_no_logit_has(self, bits):
        with pytest.raises(ValueError, match=f"fraction_bits = {bits}, expected 0 to 23"):
            Score(bits).shape((1, 1), (4,))

    def test_range_is_that_of_the_table(self):
        bound = Score().range(FixedRange(-9, 9, 0), None, shapes=[(1, 1), (4,)], values={"table": [0, 0.25, 0.5, 1]})
        assert bound == FixedRange(0, 4, -2)
        assert Fraction(bound.high) * Fraction(2) ** bound.exponent == 1

from __future__ import annotations

import numpy as np
import pytest
from operator_tests import Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.jet_from_l1 import JetFromL1

UNSIGNED = FixedRange(0, 79, -2)


class TestJetFromL1(OperatorTests):
    operator = JetFromL1
    cases = (
        Case("q-plus", {"pt": (1,)}, {"bin_gev": 4}),
        Case("q-minus", {"pt": (1,), "mass": (1,), "inverse": (5,)}, {"bin_gev": 4}),
        Case("one-gev", {"pt": (1,), "mass": (1,), "inverse": (20,)}, {"bin_gev": 1}),
    )
    limited = {"pt": UNSIGNED, "mass": UNSIGNED}

    @staticmethod
    def terms(index, given):
        pt = given["pt"][index[0]][0]
        if given["mass"] is None:
            return [2 * pt]
        return [given["mass"][index[0]][0] ** 2 * given["inverse"][int(pt // given["bin_gev"])]]

    def test_every_bin_is_used(self):
        pt = np.arange(80)[:, None] / 4
        inverse = np.arange(5.0)
        np.testing.assert_array_equal(
            JetFromL1(bin_gev=4).compute(pt, np.ones_like(pt), inverse), np.arange(5.0).repeat(16)[:, None]
        )

    @pytest.mark.parametrize(
        ("pt", "message"),
        [
            (FixedRange(0, 80, -2), "pt reaches bin 5, but the table has 5 entries"),
            (FixedRange(0, 10, 1), "pt reaches bin 5"),
            (FixedRange(-1, 10, 0), "pt is signed"),
        ],
    )
    def test_pt_outside_the_table(self, pt, message):
        with pytest.raises(ValueError, match=message):
            JetFromL1(bin_gev=4).range(pt, UNSIGNED, None, shapes=[(1, 1), (1, 1), (5,)], values={})

    def test_bins_are_powers_of_two(self):
        with pytest.raises(ValueError, match="bin_gev = 6, expected a power of two"):
            JetFromL1(bin_gev=6).shape((1, 1), None, None)

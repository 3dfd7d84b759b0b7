from __future__ import annotations

import numpy as np
import pytest
from operator_tests import Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.light_cone_from_l1 import LightConeFromL1

N = 4
ETA = {"pt": (N,), "d_eta": (N,), "eta_table": (7,)}
PHI = {"pt": (N,), "d_phi": (N,), "phi_table": (8,)}
ANGLE = FixedRange(-6, 6, 0)


class TestLightConeFromL1(OperatorTests):
    operator = LightConeFromL1
    cases = (
        Case("even", ETA | PHI, {"odd": 0}),
        Case("odd-in-eta", ETA, {"odd": 1}),
        Case("odd-in-phi", PHI, {"odd": 1}),
        Case("odd-in-both", ETA | PHI, {"odd": 1}),
        Case("even-in-phi", PHI, {"odd": 0}),
    )
    limited = {"d_eta": ANGLE, "d_phi": ANGLE}

    @staticmethod
    def terms(index, given):
        jet, particle = index
        terms = []
        for angle in ("eta", "phi"):
            if given[f"d_{angle}"] is not None:
                d = int(given[f"d_{angle}"][jet][particle])
                sign = -1 if given["odd"] and d < 0 else 1
                value = 0 if given["odd"] and d == 0 else given[f"{angle}_table"][abs(d)]
                terms.append(sign * value * given["pt"][jet][particle])
        return terms

    def test_follows_permutations(self):
        pt, d_eta, eta_table, d_phi, phi_table = self.ordinary_inputs(self.cases[0])
        order = np.random.default_rng(3).permutation(N)
        component = LightConeFromL1(odd=0).compute(pt, d_eta, eta_table, d_phi, phi_table)
        permuted = LightConeFromL1(odd=0).compute(pt[:, order], d_eta[:, order], eta_table, d_phi[:, order], phi_table)
        np.testing.assert_array_equal(permuted, component[:, order])

    def test_the_range_is_tight(self):
        table = np.array([0.0, 0.25, 0.5])
        ranges = [FixedRange(0, 15, -2), FixedRange(-2, 2, 0), None, None, None]
        bound = LightConeFromL1(odd=1).range(*ranges, shapes=[None, None, (3,)] + [None] * 2, values={"t": table})
        assert bound.high == -bound.low == 15 * 2
        assert bound.exponent == -4

    @pytest.mark.parametrize(
        ("angle", "message"),
        [
            (FixedRange(-3, 2, 0), "an angle reaches 3 codes, but its table has 3 entries"),
            (FixedRange(0, 2, 1), "an angle reaches 4 codes"),
            (FixedRange(0, 1, -1), "fractional bits"),
        ],
    )
    def test_angles_beyond_the_table(self, angle, message):
        shapes = [(1, 4), (1, 4), (3,), None, None]
        with pytest.raises(ValueError, match=message):
            LightConeFromL1(odd=0).range(FixedRange(0, 1, 0), angle, None, None, None, shapes=shapes, values={})

    @pytest.mark.parametrize(
        ("shapes", "odd", "message"),
        [
            (((1, 4), None, None, None, None), 0, "d_eta and d_phi are both missing"),
            (((1, 4), (1, 4), None, None, None), 0, "d_eta without eta_table"),
            (((1, 4), (1, 4), (3,), None, None), 2, "odd = 2, expected 0 or 1"),
            (((1, 4), (1, 3), (3,), None, None), 0, r"d_eta has shape \(1, 3\), expected \(1, 4\)"),
        ],
    )
    def test_inputs_that_do_not_fit(self, shapes, odd, message):
        with pytest.raises(ValueError, match=message):
            LightConeFromL1(odd=odd).shape(*shapes)

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from operator_tests import Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.angle_difference import AngleDifference

SHAPES = {"angle": (5,), "axis": (1,)}
CODES = FixedRange(-60, 60, 0)


class TestAngleDifference(OperatorTests):
    operator = AngleDifference
    cases = (
        Case("line", SHAPES, {"limit": 20, "turn": 0}),
        Case("round", SHAPES, {"limit": 20, "turn": 120}),
        Case("round-to-the-far-side", SHAPES, {"limit": 60, "turn": 120}),
    )
    limited = {"angle": CODES, "axis": CODES}

    @staticmethod
    def terms(index, given):
        jet, particle = index
        d, turn, limit = given["angle"][jet][particle] - given["axis"][jet][0], given["turn"], given["limit"]
        if turn:
            d = (d + turn // 2) % turn - turn // 2
        return [Fraction(max(-limit, min(limit, d)))]

    @pytest.mark.parametrize("turn", [1440, 8192])
    def test_every_pair_of_directions(self, turn):
        half = turn // 2
        codes = np.arange(-half, half, dtype=float)
        for axis in (-half, -half + 1, -1, 0, 1, 191, half - 1):
            d = AngleDifference(limit=half, turn=turn).compute(codes[None], np.array([[float(axis)]]))[0]
            turns = (codes - axis - d) / turn
            assert (turns == np.rint(turns)).all()
            assert d.min() == -half
            assert d.max() == half - 1

    def test_limit_across_the_seam(self):
        d = AngleDifference(limit=183, turn=1440).compute(np.array([[-720.0, -538, -530, 528.0]]), np.array([[719.0]]))
        assert d.tolist() == [[1, 183, 183, -183]]

    def test_fractions_of_a_code(self):
        with pytest.raises(ValueError, match="fractional bits, expected integer codes"):
            AngleDifference(limit=5, turn=0).range(FixedRange(-4, 4, -1), CODES, shapes=[], values={})

    @pytest.mark.parametrize("attributes", [{"limit": 0, "turn": 0}, {"limit": 5, "turn": 7}])
    def test_attributes_that_mean_nothing(self, attributes):
        with pytest.raises(ValueError, match="expected limit > 0 and an even turn"):
            AngleDifference(**attributes).shape((1, 5), (1, 1))

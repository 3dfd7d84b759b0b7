from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from operator_tests import Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.particle_mask import ParticleMask


class TestParticleMask(OperatorTests):
    operator = ParticleMask
    cases = (
        Case("no-spurion", {"c0": (5,)}, {"spurions": 0}),
        Case("jet", {"c0": (5,)}, {"spurions": 1}),
        Case("beams", {"c0": (4,)}, {"spurions": 2}),
    )

    @staticmethod
    def terms(index, given):
        jet, particle = index
        if particle < given["spurions"]:
            return [Fraction(1)]
        return [Fraction(given["c0"][jet][particle - given["spurions"]] != 0)]

    def test_one_grid_step_is_a_particle(self):
        mask = ParticleMask(spurions=0).compute(np.array([[2.0**-12, 0.0, -0.0, 511.0]]))
        assert mask.tolist() == [[1, 0, 0, 1]]

    def test_an_empty_jet_has_its_spurions(self):
        assert ParticleMask(spurions=2).compute(np.zeros((1, 3))).tolist() == [[1, 1, 0, 0, 0]]

    def test_follows_permutations(self):
        rng = np.random.default_rng(0)
        energy, order = rng.integers(0, 2, (4, 6)).astype(float), rng.permutation(6)
        mask = ParticleMask(spurions=1).compute(energy)
        permuted = ParticleMask(spurions=1).compute(energy[:, order])
        np.testing.assert_array_equal(permuted, mask[:, [0, *(1 + order)]])

    def test_the_range_is_one_bit(self):
        bound = ParticleMask(spurions=1).range(FixedRange(0, 255, 0), shapes=[(1, 4)], values={})
        assert bound == FixedRange(0, 1, 0)
        assert bound.bits == 1

    def test_a_matrix_is_no_component(self):
        with pytest.raises(ValueError, match=r"c0 has shape \(1, 4, 1\), expected \(B, N\)"):
            ParticleMask(spurions=0).shape((1, 4, 1))

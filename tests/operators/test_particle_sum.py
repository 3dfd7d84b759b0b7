from __future__ import annotations

import numpy as np
import pytest
from operator_tests import MASK, Case, OperatorTests

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.particle_sum import ParticleSum

M, C = 5, 2


class TestParticleSum(OperatorTests):
    operator = ParticleSum
    cases = (Case("five", {"z": (M, C), "mask": (M,)}), Case("one", {"z": (1, 1), "mask": (1,)}))

    @staticmethod
    def terms(index, given):
        jet, channel = index
        pairs = zip(given["z"][jet], given["mask"][jet], strict=True)
        return [entry[channel] for entry, valid in pairs if valid]

    def test_is_invariant_under_permutations(self):
        rng = np.random.default_rng(0)
        z, mask = rng.integers(-50, 50, (3, M, C)).astype(float), rng.integers(0, 2, (3, M)).astype(float)
        order = rng.permutation(M)
        np.testing.assert_array_equal(
            ParticleSum().compute(z[:, order], mask[:, order]), ParticleSum().compute(z, mask)
        )

    def test_the_range_is_tight(self):
        bound = ParticleSum().range(FixedRange(-8, 7, 3), MASK, shapes=[(1, M, C), (1, M)], values={})
        assert bound == FixedRange(-40, 35, 3)
        assert (ParticleSum().compute(np.full((1, M, C), 56.0), np.ones((1, M))) == 35 * 8).all()

    def test_a_mask_of_other_particles(self):
        with pytest.raises(ValueError, match=r"mask has shape \(1, 4\), expected \(1, 5\)"):
            ParticleSum().shape((1, M, C), (1, 4))

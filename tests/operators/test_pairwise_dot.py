from __future__ import annotations

import numpy as np
import pytest
from operator_tests import Case, OperatorTests, condense, minkowski_terms, pair_indices, permuted

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.pairwise_dot import PairwiseDot


def components(n):
    return {f"c{k}": (n,) for k in range(4)}


class TestPairwiseDot(OperatorTests):
    operator = PairwiseDot
    cases = (
        Case("cartesian", components(5), {"coordinates": "cartesian", "beams": 0}),
        Case("light-cone", components(5), {"coordinates": "light_cone", "beams": 0}),
        Case("beams", components(4), {"coordinates": "cartesian", "beams": 2}),
        Case("two-particles", components(2), {"coordinates": "light_cone", "beams": 0}),
    )

    @staticmethod
    def terms(index, given):
        jet, pair = index
        beams = [(1, 0, 0, 1), (1, 0, 0, -1)][: given["beams"]]
        particles = beams + list(zip(*(given[f"c{k}"][jet] for k in range(4)), strict=True))
        i, j = pair_indices(len(particles))[pair]
        return minkowski_terms(particles[i], particles[j], given["coordinates"])

    @pytest.mark.parametrize(
        ("coordinates", "beams", "expected"),
        [("cartesian", 0, 4 * 10), ("cartesian", 2, 4 * 10), ("light_cone", 0, 2 * 10 + 2 * 5)],
    )
    def test_multiplications_of_five_constituents(self, coordinates, beams, expected):
        """Four a pair, or two and as many for each constituent; those with beams are sums."""
        config = PairwiseDot(coordinates, beams).hls_config(*[(1, 5)] * 4)
        assert config["n_multiplications"] == expected

    @pytest.mark.parametrize("coordinates", ["cartesian", "light_cone"])
    def test_is_symmetric_and_follows_permutations(self, coordinates):
        rng = np.random.default_rng(3)
        p = rng.integers(-100, 100, (4, 2, 6)).astype(float)
        order = rng.permutation(6)
        full = np.zeros((2, 6, 6))
        d = PairwiseDot(coordinates=coordinates, beams=0).compute(*p)
        for k, (i, j) in enumerate(pair_indices(6)):
            full[:, i, j] = full[:, j, i] = d[:, k]
        got = PairwiseDot(coordinates=coordinates, beams=0).compute(*p[:, :, order])
        np.testing.assert_array_equal(got, condense(permuted(full, order)))

    def test_is_invariant_under_boosts_along_the_light_cone(self):
        """Scaling q+ by 2 and q- by 1/2 is a boost that is exact in binary."""
        p = np.random.default_rng(4).integers(-100, 100, (4, 2, 6)).astype(float)
        boosted = p * np.array([2, 0.5, 1, 1])[:, None, None]
        first, second = (PairwiseDot(coordinates="light_cone", beams=0).compute(*q) for q in (p, boosted))
        np.testing.assert_array_equal(first, second)

    def test_both_coordinates_agree(self):
        """q+ = E + px and q- = E - px, y = py, z = pz: the same product."""
        e, px, py, pz = np.random.default_rng(5).integers(-100, 100, (4, 2, 6)).astype(float)
        cartesian = PairwiseDot(coordinates="cartesian", beams=0).compute(e, px, py, pz)
        light_cone = PairwiseDot(coordinates="light_cone", beams=0).compute(e + px, e - px, py, pz)
        np.testing.assert_array_equal(cartesian, light_cone)

    def test_the_range_is_tight(self):
        """Particles 0 and 1 at the corners reach both ends."""
        ranges = (FixedRange(0, 255, 0), *[FixedRange(-128, 127, 0)] * 3)
        bound = PairwiseDot(coordinates="cartesian", beams=0).range(*ranges, shapes=[(1, 2)] * 4, values={})
        ends = {"coordinates": "cartesian", "beams": 0}
        high = PairwiseDot(**ends).compute(*np.array([[[255, 255]], *[[[-128, 127]]] * 3], float))
        low = PairwiseDot(**ends).compute(*np.array([[[0, 0]], *[[[-128, -128]]] * 3], float))
        assert (bound.low, bound.high, bound.exponent) == (low[0, 0], high[0, 0], 0)

    def test_the_range_covers_the_beams(self):
        """With port ranges below 1 GeV, the beams are the largest values."""
        narrow = FixedRange(0, 3, -4)
        bound = PairwiseDot(coordinates="cartesian", beams=2).range(*[narrow] * 4, shapes=[(1, 2)] * 4, values={})
        d = PairwiseDot(coordinates="cartesian", beams=2).compute(*np.full((4, 1, 2), 3 / 16))
        assert d[0, 0] == 2
        assert bound.high * 2.0**bound.exponent >= 2

    @pytest.mark.parametrize(("coordinates", "beams"), [("light_cone", 2), ("cartesian", 1), ("cartesian", 3)])
    def test_beams_that_are_not_there(self, coordinates, beams):
        with pytest.raises(ValueError, match=f"beams = {beams}"):
            PairwiseDot(coordinates=coordinates, beams=beams).shape(*[(1, 4)] * 4)

    def test_unknown_coordinates(self):
        with pytest.raises(ValueError, match=r"coordinates must be one of .* not 'polar'"):
            PairwiseDot(coordinates="polar", beams=0).compute(*np.zeros((4, 1, 2)))

    def test_components_of_different_lengths(self):
        with pytest.raises(ValueError, match=r"c2 has shape \(1, 5\), expected \(1, 4\)"):
            PairwiseDot(coordinates="cartesian", beams=0).shape((1, 4), (1, 4), (1, 5), (1, 4))

from __future__ import annotations

import numpy as np
import pytest
from operator_tests import Case, OperatorTests, minkowski_terms

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.pairwise_dot import PairwiseDot
from nanopelican_hls.operators.spurion_dot import SpurionDot


def shapes(k):
    return {f"c{i}": (k,) for i in range(4)} | {f"s{i}": (1,) for i in range(4)}


class TestSpurionDot(OperatorTests):
    operator = SpurionDot
    cases = (
        Case("cartesian", shapes(5), {"coordinates": "cartesian"}),
        Case("light-cone", shapes(5), {"coordinates": "light_cone"}),
        Case("on-the-axis", {"c0": (5,), "c1": (5,), "s0": (1,), "s1": (1,)}, {"coordinates": "light_cone"}),
        Case("one-particle", shapes(1), {"coordinates": "light_cone"}),
        Case("itself", {f"c{i}": (3,) for i in range(4)}, {"coordinates": "cartesian"}),
        Case("itself-light-cone", {f"c{i}": (1,) for i in range(4)}, {"coordinates": "light_cone"}),
        Case("itself-on-the-axis", {"c0": (1,), "c1": (1,)}, {"coordinates": "light_cone"}),
    )

    @staticmethod
    def terms(index, given):
        jet, particle = index
        p, spurion = (
            [given[f"{x}{k}"][jet][at] if given[f"{x}{k}"] is not None else 0 for k in range(4)]
            for x, at in (("c", particle), ("s", 0) if given["s0"] is not None else ("c", particle))
        )
        return minkowski_terms(p, spurion, given["coordinates"])

    @pytest.mark.parametrize("coordinates", ["cartesian", "light_cone"])
    def test_equals_the_products_of_a_particle_in_front(self, coordinates):
        p = np.random.default_rng(1).integers(-50, 50, (4, 3, 6)).astype(float)
        d = SpurionDot(coordinates=coordinates).compute(*p[:, :, 1:], *p[:, :, :1])
        np.testing.assert_array_equal(d, PairwiseDot(coordinates=coordinates, beams=0).compute(*p)[:, :5])

    @pytest.mark.parametrize("coordinates", ["cartesian", "light_cone"])
    def test_without_a_spurion_as_the_vector_twice(self, coordinates):
        jet, dot = np.random.default_rng(3).integers(-50, 50, (4, 3, 1)).astype(float), SpurionDot(coordinates)
        np.testing.assert_array_equal(dot.compute(*jet, *[None] * 4), dot.compute(*jet, *jet))
        ranges, no = [FixedRange(-3, 5, -k) for k in range(4)], [None] * 4
        once, twice = (dot.range(*ranges, *given, shapes=no + no, values={}) for given in (no, ranges))
        assert once == twice
        assert dot.hls_config(*[(1, 1)] * 4, *no) == dot.hls_config(*[(1, 1)] * 8)

    @pytest.mark.parametrize(("absent", "expected"), [((), 20), ((2, 3, 6, 7), 10)])
    def test_multiplications_of_five_particles(self, absent, expected):
        """Four each, or two with a spurion on the axis."""
        given = [None if k in absent else (1, 5) if k < 4 else (1, 1) for k in range(8)]
        assert SpurionDot("light_cone").hls_config(*given)["n_multiplications"] == expected

    def test_mass_of_the_spurion(self):
        jet = np.array([[[13.0]], [[3.0]], [[4.0]], [[12.0]]])
        assert SpurionDot(coordinates="cartesian").compute(*jet, *jet) == 0
        light_cone = np.array([[[16.0]], [[10.0]], [[4.0]], [[12.0]]])
        assert SpurionDot(coordinates="light_cone").compute(*light_cone, *light_cone) == 0

    def test_follows_permutations(self):
        rng = np.random.default_rng(2)
        p, jet = rng.integers(-50, 50, (4, 3, 6)).astype(float), rng.integers(-50, 50, (4, 3, 1)).astype(float)
        order = rng.permutation(6)
        d = SpurionDot(coordinates="light_cone").compute(*p, *jet)
        np.testing.assert_array_equal(SpurionDot(coordinates="light_cone").compute(*p[:, :, order], *jet), d[:, order])

    def test_the_range_is_tight(self):
        plus, signed = FixedRange(0, 255, -2), FixedRange(-128, 127, -2)
        jet_plus, jet_signed = FixedRange(0, 1023, 0), FixedRange(-512, 511, 0)
        bound = SpurionDot(coordinates="light_cone").range(
            plus, plus, signed, signed, jet_plus, jet_plus, jet_signed, jet_signed, shapes=shapes(1), values={}
        )
        high = [255 / 4, 255 / 4, -32, -32, 1023, 1023, 511, 511]
        low = [0, 0, -32, -32, 0, 0, -512, -512]
        for corner, end in ((high, bound.high), (low, bound.low)):
            d = SpurionDot(coordinates="light_cone").compute(*(np.array([[x]]) for x in corner))
            assert d[0, 0] == end * 2.0**bound.exponent

    @pytest.mark.parametrize(
        ("without", "coordinates", "message"),
        [
            ((2, 3, 6, 7), "cartesian", "expected them in cartesian coordinates"),
            ((6, 7), "light_cone", "c2, c3 without s2, s3"),
            ((2, 3), "light_cone", "s2, s3 without c2, c3"),
            ((4, 5), "light_cone", "s2, s3 without s0, s1"),
            ((3,), "light_cone", "c2 without c3"),
        ],
    )
    def test_components_that_are_needed(self, without, coordinates, message):
        given = [None if k in without else (1, 4) if k < 4 else (1, 1) for k in range(8)]
        with pytest.raises(ValueError, match=message):
            SpurionDot(coordinates=coordinates).shape(*given)

    def test_a_spurion_of_several_entries(self):
        given = [(1, 4)] * 4 + [(1, 4)] * 4
        with pytest.raises(ValueError, match=r"s0 has shape \(1, 4\), expected \(1, 1\)"):
            SpurionDot(coordinates="cartesian").shape(*given)

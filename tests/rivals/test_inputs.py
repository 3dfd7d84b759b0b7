"""What the rivals see is on the grids of the ports, and padding is 0."""

from __future__ import annotations

import numpy as np
import pytest

from nanopelican_hls.jets import read_jets, sample_path
from nanopelican_hls.rivals.inputs import CONSTITUENT, JET, inputs

N = 8


@pytest.fixture(scope="module")
def jets():
    return read_jets(sample_path())[:200]


@pytest.mark.parametrize("coordinates", sorted(CONSTITUENT))
def test_values_are_integers_of_their_ports(jets, coordinates):
    seen = inputs(jets, N, coordinates)
    assert seen.constituents.shape == (200, N, len(CONSTITUENT[coordinates]))
    for values, feature in [
        *zip(np.moveaxis(seen.constituents, -1, 0), CONSTITUENT[coordinates], strict=True),
        *zip(seen.jet.T, JET, strict=True),
    ]:
        integers = np.ldexp(values, -feature.exponent)
        assert (integers == np.rint(integers)).all()
        high = (1 << (feature.grid.bits - feature.grid.signed)) - 1
        assert -(high + 1) * feature.grid.signed <= integers.min() <= integers.max() <= high
        assert len(np.unique(integers)) > 10


def test_angles_are_those_of_the_light_cone(jets):
    """pT, eta and phi give back q+ and q- within the rounding of the three."""
    pt, eta, phi = np.moveaxis(inputs(jets, N, "angles").constituents, -1, 0) * [[[64]], [[0.25]], [[0.25]]]
    q_plus, q_minus = np.moveaxis(inputs(jets, N, "light_cone").constituents[..., :2], -1, 0) * [[[128]], [[1]]]
    off = q_plus - pt * (np.cosh(eta) + np.cos(phi))
    assert np.abs(off[pt < 500]).max() < 4
    assert np.abs(q_minus - pt * (np.cosh(eta) - np.cos(phi)))[pt < 500].max() < 1


def test_padding_is_zero(jets):
    seen = inputs(jets, 200, "angles")
    absent = np.arange(200) >= np.count_nonzero(jets.leading(200).four_momenta[..., 0], axis=1)[:, None]
    assert (seen.constituents[absent] == 0).all()

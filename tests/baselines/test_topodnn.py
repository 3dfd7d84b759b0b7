from __future__ import annotations

import numpy as np
import pytest

from nanopelican_hls.baselines import create
from nanopelican_hls.jets import Jets


@pytest.fixture
def jets():
    """Constituents with pT so different that no rotation or boost of the jet changes their order."""
    rng = np.random.default_rng(3)
    pt = 300 * 0.5 ** np.arange(6) * rng.uniform(0.9, 1.1, size=(20, 6))
    eta, phi = rng.normal(scale=0.15, size=(2, 20, 6)) + np.array([0.5, 2.8])[:, None, None]
    return Jets(
        four_momenta=np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1),
        jet_four_momentum=np.ones((20, 4)) * (1, 0, 0, 0),
        multiplicity=np.full(20, 6),
    )


def transformed(jets, matrix):
    return Jets(
        four_momenta=jets.four_momenta @ matrix.T,
        jet_four_momentum=jets.jet_four_momentum,
        multiplicity=jets.multiplicity,
    )


def features(jets):
    return create("topodnn").inputs(jets)["constituents"].reshape(len(jets), 30, 3)


def about_beam(angle):
    matrix = np.eye(4)
    matrix[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def along_beam(rapidity):
    matrix = np.eye(4)
    matrix[np.ix_([0, 3], [0, 3])] = [[np.cosh(rapidity), np.sinh(rapidity)], [np.sinh(rapidity), np.cosh(rapidity)]]
    return matrix


def test_standard_pose(jets):
    pt, eta, phi = np.moveaxis(features(jets), -1, 0)
    assert np.abs([eta[:, 0], phi[:, 0], eta[:, 1]]).max() < 1e-6
    assert (phi[:, 1] < 0).all()
    assert ((pt * eta).sum(axis=1) >= 0).all()
    assert not features(jets)[:, 6:].any()
    assert pt[:, 0] == pytest.approx(np.hypot(*np.moveaxis(jets.four_momenta[:, 0, 1:3], -1, 0)) / 600, rel=1e-6)


def test_pose_keeps_the_mass(jets):
    pt, eta, phi = np.moveaxis(features(jets).astype(float), -1, 0)
    posed = 600 * np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    squares = [p[:, 0] ** 2 - (p[:, 1:] ** 2).sum(axis=1) for p in (posed.sum(axis=1), jets.four_momenta.sum(axis=1))]
    assert squares[0] == pytest.approx(squares[1], rel=1e-5)


@pytest.mark.parametrize("matrix", [about_beam(1.3), along_beam(-0.7), np.diag([1, 1, 1, -1]), np.diag([1, 1, -1, 1])])
def test_invariances(jets, matrix):
    """Rotations about the beam, boosts along it, and both reflections."""
    assert features(transformed(jets, matrix)) == pytest.approx(features(jets), abs=1e-6)


def test_turns_about_the_leading_constituent(jets):
    """Starting from the frame in which it is along x."""
    for jet in range(5):
        p = jets.four_momenta[jet, 0]
        eta, phi = np.arcsinh(p[3] / np.hypot(p[1], p[2])), np.arctan2(p[2], p[1])
        on_x = transformed(jets[jet], along_beam(-eta) @ about_beam(-phi))
        turn = np.eye(4)
        turn[2:, 2:] = [[0.6, -0.8], [0.8, 0.6]]
        assert features(transformed(on_x, turn)) == pytest.approx(features(jets[jet]), abs=1e-6)

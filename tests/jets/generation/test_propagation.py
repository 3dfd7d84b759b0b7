from __future__ import annotations

import numpy as np
import pytest

from nanopelican_hls.jets.generation.cards import CARDS, DEFAULT_CARD
from nanopelican_hls.jets.generation.propagation import CURVATURE_PER_TESLA, to_calorimeter

CARD = CARDS[DEFAULT_CARD]


def four_momentum(pt, eta, phi):
    return np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)


def in_small_steps(momentum, charge, vertex):
    """Integrate the equation of motion by the midpoint rule up to the cylinder, refining the steps there."""
    _, px, py, pz = momentum
    position, angle = np.array(vertex, dtype=float), np.arctan2(py, px)
    pt = np.hypot(px, py)
    turn_per_m = -charge * CURVATURE_PER_TESLA * CARD.field_tesla / pt
    step_m = 1e-3
    while step_m > 1e-7:
        middle = angle + turn_per_m * step_m / 2
        moved = position + step_m * np.array([np.cos(middle), np.sin(middle), pz / pt])
        if np.hypot(moved[0], moved[1]) > CARD.radius_m or abs(moved[2]) > CARD.half_length_m:
            step_m /= 10
        else:
            position, angle = moved, angle + turn_per_m * step_m
    return np.arcsinh(position[2] / np.hypot(position[0], position[1])), np.arctan2(position[1], position[0])


def random_particles(n, pt_range, charges):
    rng = np.random.default_rng(5)
    pt = np.exp(rng.uniform(*np.log(pt_range), n))
    momentum = four_momentum(pt, rng.uniform(-2.5, 2.5, n), rng.uniform(-np.pi, np.pi, n))
    vertex = rng.uniform(-0.4, 0.4, (n, 3))
    return momentum, rng.choice(charges, n).astype(float), vertex


@pytest.mark.parametrize(
    ("pt_range", "charges"), [((0.05, 0.4), (-1, 1)), ((0.4, 2.0), (-1, 1, 2)), ((2.0, 500.0), (-1, 1)), ((1, 9), (0,))]
)
def test_equals_the_equation_of_motion(pt_range, charges):
    """Looping, curved and straight tracks from displaced vertices."""
    particles = random_particles(15, pt_range, charges)
    eta, phi = to_calorimeter(*particles, CARD)
    expected = np.array([in_small_steps(*particle) for particle in zip(*particles, strict=True)])
    difference = (phi - expected[:, 1] + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(difference).max() < 1e-3
    assert np.abs(eta - expected[:, 0]).max() < 1e-3


def test_bending_from_the_origin():
    """sin(half the angle) = R / (2 rho), with rho = pT / (0.2998 B)."""
    pt = np.array([1.0, 10.0, 100.0])
    charge = np.array([1.0, -1.0, 1.0])
    _, phi = to_calorimeter(four_momentum(pt, np.zeros(3), np.full(3, 0.3)), charge, np.zeros((3, 3)), CARD)
    bend = np.arcsin(CARD.radius_m * CURVATURE_PER_TESLA * CARD.field_tesla / (2 * pt))
    assert np.allclose(phi, 0.3 - charge * bend, rtol=0, atol=1e-12)


def test_neutral_ones_keep_their_direction():
    eta, phi = np.array([-2.4, 0.0, 3.7]), np.array([3.1, -1.0, 0.2])
    found = to_calorimeter(four_momentum(np.full(3, 7.0), eta, phi), np.zeros(3), np.zeros((3, 3)), CARD)
    assert np.allclose(found, (eta, phi), rtol=0, atol=1e-12)


def test_exactly_across_the_beam():
    """One that leaves, and a looper that never reaches anything."""
    momentum = four_momentum(np.array([5.0, 0.1]), np.zeros(2), np.zeros(2))
    eta, phi = to_calorimeter(momentum, np.ones(2), np.zeros((2, 3)), CARD)
    assert eta.tolist() == [0, 0]
    assert np.isfinite(phi).all()

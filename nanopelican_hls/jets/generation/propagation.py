"""Propagation out of the tracker: straight lines and helices in a solenoid (Delphes' ParticlePropagator)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.jets.generation.cards import Card

Floats = NDArray[np.float64]

#: curvature in 1/m of a particle of unit charge and pT = 1 GeV in 1 T
CURVATURE_PER_TESLA = 0.299792458


def to_calorimeter(momentum: Floats, charge: Floats, vertex_m: Floats, card: Card) -> tuple[Floats, Floats]:
    """Pseudorapidity and azimuth [n] at which particles leave the tracker cylinder.

    A charged particle that loops inside leaves through an end cap.

    Parameters
    ----------
    momentum : [n, 4]
        (E, px, py, pz) in GeV at the vertex, with pT above 0.
    charge : [n]
        In units of e.
    vertex_m : [n, 3]
        Production vertex inside the cylinder, in m.
    card : Card
        The detector.
    """
    _, px, py, pz = momentum.T
    x, y, z = vertex_m.T
    pt = np.hypot(px, py)
    azimuth = np.arctan2(py, px)
    curvature = CURVATURE_PER_TESLA * card.field_tesla * charge / pt
    to_barrel = np.where(
        charge == 0,
        _line_to_radius(px / pt, py / pt, x, y, card.radius_m),
        _helix_to_radius(azimuth, np.where(charge == 0, 1.0, curvature), x, y, card.radius_m),
    )
    length = np.minimum(to_barrel, _length_to_end_cap(pt, pz, z, card.half_length_m))
    length = np.where(np.isfinite(length), length, 0.0)  # a looper with pz = 0 stays where it is
    # the chord is parallel to the tangent at the middle of the arc; sinc covers the straight line
    turn = curvature * length
    chord = length * np.sinc(turn / (2 * np.pi))
    x_out = x + chord * np.cos(azimuth - turn / 2)
    y_out = y + chord * np.sin(azimuth - turn / 2)
    z_out = z + length * pz / pt
    return np.arcsinh(z_out / np.maximum(np.hypot(x_out, y_out), 1e-12)), np.arctan2(y_out, x_out)


def _line_to_radius(cos: Floats, sin: Floats, x: Floats, y: Floats, radius: float) -> Floats:
    """Transverse length [n] to the barrel along directions (cos, sin) from (x, y) inside it."""
    along, across = cos * x + sin * y, cos * y - sin * x
    length: Floats = np.sqrt(np.maximum(radius**2 - across**2, 0.0)) - along
    return length


def _helix_to_radius(azimuth: Floats, curvature: Floats, x: Floats, y: Floats, radius: float) -> Floats:
    """Transverse length [n] of the arc to the barrel, infinite if it never gets there.

    With the centre of the circle at distance c from the beam and curvature k, the point at angle a on it is at the
    radius where cos(a - a_c) = (radius^2 - c^2 - 1/k^2) / (2 c / |k|), a_c being the direction of the centre.
    """
    centre_x, centre_y = x + np.sin(azimuth) / curvature, y - np.cos(azimuth) / curvature
    distance = np.maximum(np.hypot(centre_x, centre_y), 1e-12)
    cosine = (radius**2 - distance**2 - curvature**-2) * np.abs(curvature) / (2 * distance)
    half = np.arccos(np.clip(cosine, -1.0, 1.0))
    sense = np.sign(curvature)
    start = np.arctan2((y - centre_y), (x - centre_x))
    centre = np.arctan2(centre_y, centre_x)
    # a positive charge turns clockwise
    turns = [np.mod((start - (centre + side * half)) * sense, 2 * np.pi) for side in (1, -1)]
    return np.where(np.abs(cosine) <= 1, np.minimum(*turns) / np.abs(curvature), np.inf)


def _length_to_end_cap(pt: Floats, pz: Floats, z: Floats, half_length: float) -> Floats:
    """Transverse length [n] to the end cap, infinite for pz = 0."""
    length = np.full_like(pt, np.inf)
    np.divide((np.where(pz > 0, half_length, -half_length) - z) * pt, pz, out=length, where=pz != 0)
    return length

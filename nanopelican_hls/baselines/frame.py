"""Constituents in the frame of an axis, in the variables of hadron colliders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.jets.coordinates import to_light_cone

Floats = NDArray[np.float64]


def momenta_along(four_momenta: Floats, axis: Floats) -> Floats:
    """Momenta [n, N, 3] in GeV, rotated and boosted along the beam so that the axis is x.

    Parameters
    ----------
    four_momenta : [n, N, 4]
        (E, px, py, pz) in GeV, zero-padded.
    axis : [n, 4]
        Four-momenta that define the axis, in GeV.
    """
    q_plus, q_minus, y, z = np.moveaxis(to_light_cone(four_momenta, axis), -1, 0)
    return np.stack([(q_plus - q_minus) / 2, y, z], axis=-1)


def pt_eta_phi(momenta: Floats) -> tuple[Floats, Floats, Floats]:
    """Transverse momentum in GeV, pseudorapidity and azimuth, each [...], of momenta [..., 3]; all 0 for a zero vector.

    The eta of a particle along the beam is finite: that for a transverse momentum of 1 keV.
    """
    px, py, pz = np.moveaxis(momenta, -1, 0)
    pt = np.hypot(px, py)
    return pt, np.arcsinh(pz / np.maximum(pt, 1e-6)), np.arctan2(py, px)

"""Jets for tests: small, seeded, with realistic momenta."""

from __future__ import annotations

import numpy as np
import pytest

from nanopelican_hls.jets import Jets


def massless(pt, eta, phi):
    """Four-momenta [..., 4] of massless particles."""
    return np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)


@pytest.fixture
def jets() -> Jets:
    """Twelve jets of 3 to 14 constituents in 16 places, with two more constituents cut; float32 values."""
    rng = np.random.default_rng(7)
    pt = -np.sort(-rng.exponential(40.0, (12, 16)), axis=1) + 0.5
    eta = rng.uniform(-2.0, 2.0, (12, 1)) + rng.normal(0.0, 0.2, (12, 16))
    phi = rng.uniform(-3.1, 3.1, (12, 1)) + rng.normal(0.0, 0.2, (12, 16))
    present = np.arange(16) < np.arange(3, 15)[:, None]
    momenta = (massless(pt, eta, phi) * present[..., None]).astype(np.float32)
    return Jets(
        four_momenta=momenta,
        jet_four_momentum=momenta.sum(axis=1, dtype=np.float64).astype(np.float32),
        multiplicity=present.sum(axis=1) + 2,
        labels=np.arange(12) % 2,
    )

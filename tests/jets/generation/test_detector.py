from __future__ import annotations

import numpy as np
import pytest

from nanopelican_hls.jets.generation.cards import CARDS, DEFAULT_CARD
from nanopelican_hls.jets.generation.detector import Particles, energy_flow

CARD = CARDS[DEFAULT_CARD]
PHOTON, ELECTRON, MUON, NEUTRINO, PION, NEUTRON, K_SHORT = 22, 11, 13, 12, 211, 2112, 310
N = 4000


def shot(*kinds, energy=50.0, eta=0.25, phi=0.1, n=N, vertex=(0.0, 0.0, 0.0)):
    """``n`` identical events with one massless particle of each kind."""
    pdg_id = np.tile(kinds, n)
    pt = energy / np.cosh(eta)
    momentum = np.tile([energy, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], (len(pdg_id), 1))
    charge = np.where(np.isin(np.abs(pdg_id), (ELECTRON, MUON, PION)), 1.0, 0.0)
    return Particles(np.repeat(np.arange(n), len(kinds)), pdg_id, charge, momentum, np.tile(vertex, (len(pdg_id), 1)))


def seen(particles, seed=1, card=CARD):
    return energy_flow(particles, card, np.random.default_rng(seed))


def energy_per_event(objects, n=N):
    return np.bincount(objects.event, weights=objects.momentum[:, 0], minlength=n)


def multiplicity(objects, n=N):
    return np.bincount(objects.event, minlength=n)


def test_photons_have_the_resolution_of_the_ecal():
    """Inside the tower they hit."""
    objects = seen(shot(PHOTON))
    energy = energy_per_event(objects)
    assert (multiplicity(objects) == 1).all()
    sigma = np.hypot(0.0017 * 50, 0.101 * np.sqrt(50))
    assert energy.mean() == pytest.approx(50, abs=4 * sigma / np.sqrt(N))
    assert energy.std() == pytest.approx(sigma, rel=0.05)
    _, px, py, pz = objects.momentum.T
    eta, phi = np.arcsinh(pz / np.hypot(px, py)), np.arctan2(py, px)
    assert 0.2 <= eta.min() < 0.205 and 0.295 < eta.max() <= 0.3
    assert phi.min() >= 0 and phi.max() <= np.pi / 18


def test_neutral_hadrons_have_the_resolution_of_the_hcal():
    energy = energy_per_event(seen(shot(NEUTRON)))
    sigma = np.sqrt((0.0302 * 50) ** 2 + 0.5205**2 * 50 + 1.59**2)
    assert energy.mean() == pytest.approx(50, abs=4 * sigma / np.sqrt(N))
    assert energy.std() == pytest.approx(sigma, rel=0.05)


def test_muons_are_tracks_of_their_own():
    objects = seen(shot(MUON))
    assert np.mean(multiplicity(objects)) == pytest.approx(0.99, abs=0.01)
    assert objects.momentum[:, 0].std() / 50 == pytest.approx(np.hypot(0.01, 1e-4 * 50), rel=0.05)


def test_a_pion_is_a_track_and_what_the_hcal_sees_beyond_it():
    """The track is never lost to the tower, and only an excess above the noise counts."""
    objects = seen(shot(PION, energy=20.0))
    counts = multiplicity(objects)
    assert set(counts) <= {0, 1, 2}
    assert np.mean(energy_per_event(objects)) > 19.5
    _, px, py, _ = objects.momentum.T
    tracks = np.abs(np.hypot(px, py) * np.cosh(0.25) - 20) < 2
    assert tracks.sum() > 0.9 * N


def test_hard_tracks_share_the_energy_of_the_tower():
    """At 2 TeV the calorimeter is better than the tracker: one object with the energy of the tower."""
    objects = seen(shot(PION, energy=2000.0))
    assert multiplicity(objects).max() == 1
    sigma = np.sqrt((0.0302 * 2000) ** 2 + 0.5205**2 * 2000 + 1.59**2)
    assert objects.momentum[:, 0].std() == pytest.approx(sigma, rel=0.05)


def test_k_short_is_shared_between_the_calorimeters():
    objects = seen(shot(K_SHORT))
    energy = objects.momentum[:, 0]
    assert multiplicity(objects).max() == 2
    assert np.median(energy[energy < 25]) == pytest.approx(15, abs=1)
    assert np.median(energy[energy > 25]) == pytest.approx(35, abs=1)
    first, second = objects.momentum[:2, 1:] / objects.momentum[:2, :1]
    assert np.allclose(first, second, rtol=0, atol=1e-12)  # one tower, one direction


@pytest.mark.parametrize(
    "particles",
    [
        shot(NEUTRINO),
        shot(PHOTON, energy=0.2, n=50),
        shot(PHOTON, eta=5.2),
        shot(PHOTON, vertex=(2.0, 0.0, 0.0)),
        shot(PHOTON, vertex=(0.0, 0.0, -4.0)),
    ],
    ids=["neutrinos", "noise", "beyond the calorimeters", "outside", "behind"],
)
def test_what_is_not_seen(particles):
    assert len(seen(particles).event) == 0


@pytest.mark.parametrize(
    ("eta", "energy", "expected"), [(0.2, 0.5, 0.70), (0.2, 9, 0.95), (2.0, 20, 0.85), (2.7, 20, 0)]
)
def test_efficiency_of_hadrons(eta, energy, expected):
    """Hadrons too soft for the HCAL leave only tracks; harder ones are counted by their resolution."""
    objects = seen(shot(PION, energy=energy, eta=eta))
    e, px, py, pz = objects.momentum.T
    tracks = np.abs(np.arcsinh(pz / np.hypot(px, py)) - eta) < 1e-9
    assert tracks.sum() / N == pytest.approx(expected, abs=0.025)
    assert (e > 0).all()


def test_objects_are_massless_and_in_order_of_events():
    objects = seen(shot(PION, PHOTON, ELECTRON, NEUTRON, MUON, K_SHORT, n=300))
    e, *p = objects.momentum.T
    assert np.allclose(e, np.sqrt(sum(x * x for x in p)), rtol=1e-12)
    assert (np.diff(objects.event) >= 0).all()


def test_same_generator_same_objects():
    particles = shot(PION, PHOTON, n=100)
    assert np.array_equal(seen(particles, seed=4).momentum, seen(particles, seed=4).momentum)
    assert not np.array_equal(seen(particles, seed=4).momentum, seen(particles, seed=5).momentum)


def test_the_cards_differ_in_their_tracks():
    old = seen(shot(MUON), card=CARDS["atlas-3.3.2"])
    assert old.momentum[:, 0].std() / 50 == pytest.approx(np.hypot(0.02, 2e-4 * 50), rel=0.05)

"""Energy flow: the objects that a detector reconstructs from the particles of an event (Delphes, arXiv:1307.6346).

Particles are propagated through the solenoid to the calorimeters. Charged particles may leave a track, with smeared
momentum. Tower energies are summed, smeared log-normally and zero-suppressed. Then, in each tower of the ECAL (for
electrons) and of the HCAL (for charged hadrons), the energy of tracks measured better than by the calorimeter is
subtracted; tracks measured worse, if there are any, share the remainder in proportion to their energy; otherwise a
remainder above the noise becomes a photon or a neutral hadron. All objects are massless.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.jets.generation.cards import Calorimeter, Card, Efficiency, Resolution, Tracking
from nanopelican_hls.jets.generation.propagation import to_calorimeter

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Row = TypeVar("Row", Efficiency, Resolution)

#: particles below this pT are not propagated
MIN_PT_GEV = 3.2e-5
_INVISIBLE = (12, 14, 16)
_ELECTRON, _MUON, _PHOTON, _PI0, _K_SHORT, _LAMBDA = 11, 13, 22, 111, 310, 3122
#: fraction of the energy of a K_S or Lambda deposited in the ECAL
_ECAL_SHARE_V0 = 0.3


@dataclass(frozen=True)
class Particles:
    """Stable particles of several events, one entry each, events in ascending order.

    ``event`` [n], ``pdg_id`` [n], ``charge`` [n] in units of e, ``momentum`` [n, 4] (E, px, py, pz) in GeV,
    ``vertex_m`` [n, 3] the production vertex.
    """

    event: Integers
    pdg_id: Integers
    charge: Floats
    momentum: Floats
    vertex_m: Floats

    def __getitem__(self, index: NDArray[np.bool_] | NDArray[np.intp]) -> Particles:
        return Particles(
            self.event[index], self.pdg_id[index], self.charge[index], self.momentum[index], self.vertex_m[index]
        )


@dataclass(frozen=True)
class Objects:
    """Reconstructed objects of several events: ``event`` [n] ascending, ``momentum`` [n, 4] (E, px, py, pz) in GeV."""

    event: Integers
    momentum: Floats


@dataclass(frozen=True)
class _Tracks:
    """Tracks: index of the particle, massless momentum [n, 4], relative pT resolution [n]."""

    particle: NDArray[np.intp]
    momentum: Floats
    resolution: Floats


@dataclass(frozen=True)
class _Towers:
    """Hit towers: event, eta of the centre, smeared direction; and the tower of each particle, -1 outside."""

    event: Integers
    centre_eta: Floats
    eta: Floats
    phi: Floats
    of_particle: Integers

    def momentum(self, energy: Floats) -> Floats:
        """Massless momenta [n, 4] of energies [n] in the towers."""
        pt = energy / np.cosh(self.eta)
        return np.stack([energy, pt * np.cos(self.phi), pt * np.sin(self.phi), pt * np.sinh(self.eta)], axis=1)


def energy_flow(particles: Particles, card: Card, rng: np.random.Generator) -> Objects:
    """Reconstruct the objects in the detector; the same generator state yields the same objects."""
    particles = particles[_inside(particles, card)]
    eta, phi = to_calorimeter(particles.momentum, particles.charge, particles.vertex_m, card)
    ecal_share, hcal_share = _shares(np.abs(particles.pdg_id))
    tracks = _tracks(particles, eta, card, rng)
    towers = _towers(particles.event, eta, phi, ecal_share + hcal_share > 0, card, rng)
    untouched = (ecal_share + hcal_share)[tracks.particle] == 0  # muons
    found = [(particles.event[tracks.particle[untouched]], tracks.momentum[untouched])]
    for calorimeter, share in ((card.ecal, ecal_share), (card.hcal, hcal_share)):
        deposits = particles.momentum[:, 0] * share
        measured = share[tracks.particle] == 1
        found += _layer(calorimeter, deposits, particles.event, tracks, measured, towers, rng)
    event = np.concatenate([objects[0] for objects in found])
    momentum = np.concatenate([objects[1] for objects in found])
    order = np.argsort(event, kind="stable")
    order = order[momentum[order, 0] > 0]
    return Objects(event[order], momentum[order])


def _inside(particles: Particles, card: Card) -> Mask:
    """Mask of the particles produced inside the tracker with pT above `MIN_PT_GEV`."""
    x, y, z = particles.vertex_m.T
    pt = np.hypot(particles.momentum[:, 1], particles.momentum[:, 2])
    inside: Mask = (np.hypot(x, y) <= card.radius_m) & (np.abs(z) <= card.half_length_m) & (pt > MIN_PT_GEV)
    return inside


def _shares(kind: Integers) -> tuple[Floats, Floats]:
    """Fractions of the energy deposited in ECAL and HCAL, for absolute PDG codes [n]."""
    electromagnetic = np.isin(kind, (_ELECTRON, _PHOTON, _PI0))
    v0 = np.isin(kind, (_K_SHORT, _LAMBDA))
    visible = ~np.isin(kind, (*_INVISIBLE, _MUON))
    ecal = np.where(electromagnetic, 1.0, np.where(v0, _ECAL_SHARE_V0, 0.0))
    return ecal, np.where(visible, 1.0 - ecal, 0.0)


def _tracks(particles: Particles, eta: Floats, card: Card, rng: np.random.Generator) -> _Tracks:
    """Reconstruct the tracks of charged particles [n] that reach the calorimeters at ``eta``."""
    kind = np.abs(particles.pdg_id)
    pt = np.hypot(particles.momentum[:, 1], particles.momentum[:, 2])
    probability, resolution = np.zeros_like(pt), np.zeros_like(pt)
    electron, muon = kind == _ELECTRON, kind == _MUON
    hadron = ~electron & ~muon
    for chosen, tracking in ((hadron, card.hadrons), (electron, card.electrons), (muon, card.muons)):
        probability[chosen], resolution[chosen] = _tracking(tracking, eta[chosen], pt[chosen])
    seen = (particles.charge != 0) & (rng.random(len(pt)) < probability)
    scale = 1.0 + resolution * rng.standard_normal(len(pt))
    index = np.flatnonzero(seen & (scale > 0))
    p = particles.momentum[index, 1:] * scale[index, None]
    momentum = np.concatenate([np.linalg.norm(p, axis=1, keepdims=True), p], axis=1)
    return _Tracks(index, momentum, resolution[index])


def _tracking(tracking: Tracking, eta: Floats, pt: Floats) -> tuple[Floats, Floats]:
    """Efficiency and relative pT resolution [n]; 0 outside the table."""
    probability, resolution = np.zeros_like(pt), np.zeros_like(pt)
    for table, chosen in _by_eta(tracking.efficiency, eta):
        bin_of = np.searchsorted(table.pt_min_gev, pt[chosen], side="left")
        probability[chosen] = np.array((0.0, *table.probability))[bin_of]
    for row, chosen in _by_eta(tracking.resolution, eta):
        resolution[chosen] = np.hypot(row.constant, row.slope_per_gev * pt[chosen])
    return probability, resolution


def _by_eta(rows: Sequence[Row], eta: Floats) -> list[tuple[Row, Mask]]:
    """Each row with the mask of the particles in its |eta| range, from the previous row's ``eta_max`` to its own."""
    bin_of = np.searchsorted([row.eta_max for row in rows], np.abs(eta), side="left")
    return [(row, bin_of == i) for i, row in enumerate(rows)]


def _towers(event: Integers, eta: Floats, phi: Floats, visible: Mask, card: Card, rng: np.random.Generator) -> _Towers:
    """Towers hit by the ``visible`` particles; directions are uniform within a tower."""
    edges = np.array(card.eta_edges)
    columns = np.where(np.isin(edges, card.eta_edges_18_phi), 18, 36)  # phi divisions of the tower below each edge
    row = np.searchsorted(edges, eta, side="left")
    inside = visible & (row > 0) & (row < len(edges))
    row = row[inside]
    width = 2 * np.pi / columns[row]
    column = np.clip((phi[inside] + np.pi) / width, 0, columns[row] - 1).astype(np.int64)
    keys, tower = np.unique((event[inside] * len(edges) + row) * 36 + column, return_inverse=True)
    of_particle = np.full(len(event), -1)
    of_particle[inside] = tower
    row, column = keys // 36 % len(edges), keys % 36
    low, high = edges[row - 1], edges[row]
    return _Towers(
        event=keys // (36 * len(edges)),
        centre_eta=(low + high) / 2,
        eta=low + (high - low) * rng.random(len(keys)),
        phi=-np.pi + 2 * np.pi / columns[row] * (column + rng.random(len(keys))),
        of_particle=of_particle,
    )


def _layer(
    calorimeter: Calorimeter,
    deposits: Floats,
    event: Integers,
    tracks: _Tracks,
    measured: Mask,
    towers: _Towers,
    rng: np.random.Generator,
) -> list[tuple[Integers, Floats]]:
    """Tracks of particles absorbed in this calorimeter (``measured``) and neutral objects, as (event, momentum)."""
    n = len(towers.event)
    hit = towers.of_particle >= 0
    energy = _sums(towers.of_particle[hit], deposits[hit], n)
    energy = _lognormal(energy, _sigma(calorimeter, towers.centre_eta, energy), rng)
    energy = _above_noise(calorimeter, towers.centre_eta, energy)

    seen = np.flatnonzero(measured & (towers.of_particle[tracks.particle] >= 0))
    momentum = tracks.momentum[seen]
    tower = towers.of_particle[tracks.particle[seen]]
    sigma = _sigma(calorimeter, towers.centre_eta[tower], momentum[:, 0])
    rescaled = sigma < tracks.resolution[seen] * momentum[:, 0]
    energy = energy - _sums(tower[~rescaled], momentum[~rescaled, 0], n)
    to_share = _sums(tower[rescaled], momentum[rescaled, 0], n)
    momentum[rescaled] *= (energy[tower[rescaled]] / to_share[tower[rescaled]])[:, None]
    energy = _above_noise(calorimeter, towers.centre_eta, np.where(to_share > 0, 0.0, energy))
    return [(event[tracks.particle[seen]], momentum), (towers.event, towers.momentum(energy))]


def _sums(tower: Integers, energy: Floats, n_towers: int) -> Floats:
    """Energies [n] summed by tower."""
    sums: Floats = np.bincount(tower, weights=energy, minlength=n_towers).astype(np.float64)
    return sums


def _sigma(calorimeter: Calorimeter, eta: Floats, energy: Floats) -> Floats:
    """Resolution in GeV of energies [n] in GeV; 0 outside the table."""
    sigma = np.zeros_like(energy)
    for row, chosen in _by_eta(calorimeter.resolution, eta):
        e = np.maximum(energy[chosen], 0.0)
        sigma[chosen] = np.sqrt(row.constant**2 * e**2 + row.stochastic**2 * e + row.noise_gev**2)
    return sigma


def _above_noise(calorimeter: Calorimeter, eta: Floats, energy: Floats) -> Floats:
    """Energies [n] after zero suppression."""
    minimum = np.maximum(calorimeter.energy_min_gev, calorimeter.significance_min * _sigma(calorimeter, eta, energy))
    return np.where(energy < minimum, 0.0, energy)


def _lognormal(mean: Floats, sigma: Floats, rng: np.random.Generator) -> Floats:
    """Log-normal random values with given mean and standard deviation [n]; 0 stays 0."""
    positive = np.where(mean > 0, mean, 1.0)
    spread = np.sqrt(np.log1p((sigma / positive) ** 2))
    values = positive * np.exp(spread * (rng.standard_normal(len(mean)) - spread / 2))
    return np.where(mean > 0, values, 0.0)

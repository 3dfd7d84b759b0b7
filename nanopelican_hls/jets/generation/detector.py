"""Energy flow: what the detector of a card makes of the particles of an event (Delphes, arXiv:1307.6346).

Particles go through the solenoid to the calorimeters. Charged ones may give a track, with the momentum smeared. Towers
add up energy, smear it log-normally and suppress noise. Then, in every tower of the ECAL (electrons) and of the HCAL
(charged hadrons): the energy of tracks that are measured better than the calorimeter would is subtracted; tracks that
are measured worse take what is left, in proportion; otherwise what is left, if it is above the noise, is a photon or a
neutral hadron. All objects are massless.
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

#: smallest pT that is propagated
MIN_PT_GEV = 3.2e-5
_INVISIBLE = (12, 14, 16)
_ELECTRON, _MUON, _PHOTON, _PI0, _K_SHORT, _LAMBDA = 11, 13, 22, 111, 310, 3122
#: share of the energy of K_S and Lambda that the ECAL sees
_ECAL_SHARE_V0 = 0.3


@dataclass(frozen=True)
class Particles:
    """Stable particles of several events, one entry each, events in ascending order.

    ``event`` [n], ``pdg_id`` [n], ``charge`` [n] in units of the positron's, ``momentum`` [n, 4] (E, px, py, pz) in
    GeV, ``vertex_m`` [n, 3].
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
    """Tracks: the particle each belongs to, massless momentum [n, 4], relative pT resolution [n]."""

    particle: NDArray[np.intp]
    momentum: Floats
    resolution: Floats


@dataclass(frozen=True)
class _Towers:
    """Towers that were hit: event, centre in eta, smeared direction; and each particle's tower, -1 outside."""

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
    """Objects that the detector reconstructs; the same generator state gives the same objects."""
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
    """Whether particles begin inside the tracker with a pT to speak of."""
    x, y, z = particles.vertex_m.T
    pt = np.hypot(particles.momentum[:, 1], particles.momentum[:, 2])
    inside: Mask = (np.hypot(x, y) <= card.radius_m) & (np.abs(z) <= card.half_length_m) & (pt > MIN_PT_GEV)
    return inside


def _shares(kind: Integers) -> tuple[Floats, Floats]:
    """Shares of the energy that ECAL and HCAL see, for absolute PDG codes [n]."""
    electromagnetic = np.isin(kind, (_ELECTRON, _PHOTON, _PI0))
    v0 = np.isin(kind, (_K_SHORT, _LAMBDA))
    visible = ~np.isin(kind, (*_INVISIBLE, _MUON))
    ecal = np.where(electromagnetic, 1.0, np.where(v0, _ECAL_SHARE_V0, 0.0))
    return ecal, np.where(visible, 1.0 - ecal, 0.0)


def _tracks(particles: Particles, eta: Floats, card: Card, rng: np.random.Generator) -> _Tracks:
    """Tracks of charged particles [n] that reach the calorimeters at ``eta``."""
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
    """Each row with the mask of the particles in its range, ``eta_max`` of the row before to its own."""
    bin_of = np.searchsorted([row.eta_max for row in rows], np.abs(eta), side="left")
    return [(row, bin_of == i) for i, row in enumerate(rows)]


def _towers(event: Integers, eta: Floats, phi: Floats, visible: Mask, card: Card, rng: np.random.Generator) -> _Towers:
    """Towers hit by the visible ones of particles [n]; directions are uniform within a tower."""
    edges = np.array(card.eta_edges)
    columns = np.where(np.isin(edges, card.eta_edges_18_phi), 18, 36)  # of the tower below each edge
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
    """Tracks that the calorimeter sees whole (``measured``) and neutral objects, as (event, momentum)."""
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
    """Sums of energies [n] by tower."""
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
    """Energies [n], 0 where zero suppression drops them."""
    minimum = np.maximum(calorimeter.energy_min_gev, calorimeter.significance_min * _sigma(calorimeter, eta, energy))
    return np.where(energy < minimum, 0.0, energy)


def _lognormal(mean: Floats, sigma: Floats, rng: np.random.Generator) -> Floats:
    """Log-normal values of given mean and standard deviation [n]; 0 stays 0."""
    positive = np.where(mean > 0, mean, 1.0)
    spread = np.sqrt(np.log1p((sigma / positive) ** 2))
    values = positive * np.exp(spread * (rng.standard_normal(len(mean)) - spread / 2))
    return np.where(mean > 0, values, 0.0)

"""Detector cards: the parameters of the Delphes ATLAS card that affect its energy-flow objects.

Values from `cards/delphes_card_ATLAS.tcl` of Delphes (arXiv:1307.6346); `detector` applies them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: upper eta edges of the towers with 36 and with 18 divisions in phi
_FINE_ETA = (-3.2, *(round(-2.5 + 0.1 * i, 1) for i in range(52)), 3.3)
_COARSE_ETA = (
    *(-4.9, -4.7, -4.5, -4.3, -4.1, -3.9, -3.7, -3.5, -3.3, -3.0, -2.8, -2.6),
    *(2.8, 3.0, 3.2, 3.5, 3.7, 3.9, 4.1, 4.3, 4.5, 4.7, 4.9),
)


@dataclass(frozen=True)
class Resolution:
    """sigma = sqrt(constant^2 x^2 + stochastic^2 x + noise^2) for |eta| up to ``eta_max``.

    In a calorimeter ``x`` is the energy in GeV. A track has only two terms, relative to its pT in GeV: sigma / pT =
    sqrt(constant^2 + slope^2 pT^2).
    """

    eta_max: float
    constant: float
    stochastic: float = 0.0
    noise_gev: float = 0.0
    slope_per_gev: float = 0.0


@dataclass(frozen=True)
class Efficiency:
    """Track efficiency for |eta| up to ``eta_max``, in bins of pT given by their lower edges; 0 below the first."""

    eta_max: float
    pt_min_gev: tuple[float, ...]
    probability: tuple[float, ...]


@dataclass(frozen=True)
class Tracking:
    """Track efficiency and resolution for one kind of particle, in ascending ``eta_max``."""

    efficiency: tuple[Efficiency, ...]
    resolution: tuple[Resolution, ...]


@dataclass(frozen=True)
class Calorimeter:
    """Resolution and zero suppression: energies below the minimum, or below that many sigmas, are dropped."""

    resolution: tuple[Resolution, ...]
    energy_min_gev: float
    significance_min: float


@dataclass(frozen=True)
class Card:
    """A detector: tracker volume, tracking, and calorimeters that share one tower grid."""

    description: str
    hadrons: Tracking
    electrons: Tracking
    muons: Tracking
    ecal: Calorimeter
    hcal: Calorimeter
    field_tesla: float = 2.0
    radius_m: float = 1.15
    half_length_m: float = 3.51
    eta_edges: tuple[float, ...] = field(default=tuple(sorted({*_FINE_ETA, *_COARSE_ETA})))
    eta_edges_18_phi: tuple[float, ...] = _COARSE_ETA


def _tracks(constants: tuple[float, float, float], slopes: tuple[float, float, float]) -> tuple[Resolution, ...]:
    return tuple(
        Resolution(eta_max, constant, slope_per_gev=slope)
        for eta_max, constant, slope in zip((0.5, 1.5, 2.5), constants, slopes, strict=True)
    )


_HADRON_EFFICIENCY = (Efficiency(1.5, (0.1, 1.0), (0.70, 0.95)), Efficiency(2.5, (0.1, 1.0), (0.60, 0.85)))
_ELECTRON_EFFICIENCY = (
    Efficiency(1.5, (0.1, 1.0, 100.0), (0.73, 0.95, 0.99)),
    Efficiency(2.5, (0.1, 1.0, 100.0), (0.50, 0.83, 0.90)),
)
_MUON_EFFICIENCY = (Efficiency(1.5, (0.1, 1.0), (0.75, 0.99)), Efficiency(2.5, (0.1, 1.0), (0.70, 0.98)))
_ECAL = Calorimeter(
    (Resolution(3.2, 0.0017, 0.101), Resolution(4.9, 0.0350, 0.285)), energy_min_gev=0.5, significance_min=1.0
)
_HCAL = Calorimeter(
    (Resolution(1.7, 0.0302, 0.5205, 1.59), Resolution(3.2, 0.0500, 0.706), Resolution(4.9, 0.0942, 1.0)),
    energy_min_gev=1.0,
    significance_min=1.0,
)

CARDS = {
    "atlas-3.3.3": Card(
        description="Delphes 3.3.3 ATLAS card emulation",
        hadrons=Tracking(_HADRON_EFFICIENCY, _tracks((0.01, 0.015, 0.025), (1.5e-4, 2.5e-4, 5.5e-4))),
        electrons=Tracking(_ELECTRON_EFFICIENCY, _tracks((0.03, 0.05, 0.15), (1.3e-3, 1.7e-3, 3.1e-3))),
        muons=Tracking(_MUON_EFFICIENCY, _tracks((0.01, 0.015, 0.025), (1.0e-4, 1.5e-4, 3.5e-4))),
        ecal=_ECAL,
        hcal=_HCAL,
    ),
    "atlas-3.3.2": Card(
        description="Delphes 3.3.2 ATLAS card emulation",
        hadrons=Tracking(_HADRON_EFFICIENCY, _tracks((0.06, 0.10, 0.25), (1.3e-3, 1.7e-3, 3.1e-3))),
        electrons=Tracking(_ELECTRON_EFFICIENCY, _tracks((0.06, 0.10, 0.25), (1.3e-3, 1.7e-3, 3.1e-3))),
        muons=Tracking(_MUON_EFFICIENCY, _tracks((0.02, 0.03, 0.06), (2e-4, 3e-4, 6e-4))),
        ecal=_ECAL,
        hcal=_HCAL,
    ),
}
#: the card that earlier samples were made with
DEFAULT_CARD = "atlas-3.3.3"

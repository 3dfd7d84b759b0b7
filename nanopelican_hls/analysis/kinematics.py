"""Efficiency of a working point against the jet's kinematics, and how far it sculpts the mass of the background."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.evaluation.metrics import LEAST_JETS, binomial_error, require_every_class
from nanopelican_hls.evaluation.working_points import threshold_for_background
from nanopelican_hls.jets import Jets
from nanopelican_hls.jets.container import pt_gev
from nanopelican_hls.jets.two_samples import mass_gev

Floats = NDArray[np.float64]

#: bins of each variable, with equally many jets
BINS = 8
#: bins of the mass in which distributions are compared, from 0 to `MASS_GEV`, and one above
MASS_BINS, MASS_GEV = 40, 400.0
#: random cuts that say what the divergence is without any sculpting
RANDOM_CUTS = 100


@dataclass(frozen=True)
class Bin:
    """Efficiencies in a bin ``low <= value < high`` of a variable, each with its binomial error and number of jets."""

    variable: str
    low: float
    high: float
    signal: float
    signal_error: float
    signal_jets: int
    background: float
    background_error: float
    background_jets: int


@dataclass(frozen=True)
class Sculpting:
    """Jensen-Shannon divergence, in bits, of the masses of background jets that pass and of those that fail.

    0: the cut does not know the mass; 1: the two do not overlap. ``random`` is the mean of the same number for random
    cuts that pass as many jets, which is what the size of the sample alone gives.
    """

    divergence: float
    random: float


@dataclass(frozen=True)
class WorkingPoint:
    """A cut on the logit, with efficiencies over all jets, in bins, and what it does to the mass."""

    threshold: float
    signal: float
    background: float
    bins: tuple[Bin, ...]
    sculpting: Sculpting


#: by name with unit, the variable of each jet
VARIABLES: Mapping[str, Callable[[Jets], Floats]] = {
    "pt_gev": lambda jets: pt_gev(jets.jet_four_momentum),
    "mass_gev": lambda jets: mass_gev(jets),
    "abs_eta": lambda jets: np.abs(np.arcsinh(jets.jet_four_momentum[:, 3] / pt_gev(jets.jet_four_momentum))),
    "multiplicity": lambda jets: jets.multiplicity.astype(np.float64),
}


def working_point(jets: Jets, logits: Floats, background: float, seed: int = 1) -> WorkingPoint:
    """The lowest cut at which no more than a fraction ``background`` of the background passes.

    Parameters
    ----------
    jets : Jets
        With labels of signal and background.
    logits : float64 [n]
        A jet passes if its logit is at least the threshold.
    background : float
        Between 0 and 1.
    seed : int
        Of the random cuts.

    Raises
    ------
    JetsError
        If a class has fewer than `LEAST_JETS` jets.
    """
    labels = require_every_class(jets.binary_labels("jets"), "jets", least=LEAST_JETS) == 1
    threshold = threshold_for_background(logits[~labels], background)
    passed = logits >= threshold
    masses, passing = mass_gev(jets)[~labels], passed[~labels]
    return WorkingPoint(
        threshold=threshold,
        signal=float(passed[labels].mean()),
        background=float(passing.mean()),
        bins=tuple(each for name, of in VARIABLES.items() for each in _bins(name, of(jets), labels, passed)),
        sculpting=_sculpting(masses, passing, np.random.default_rng(seed)),
    )


def _bins(variable: str, values: Floats, labels: NDArray[np.bool_], passed: NDArray[np.bool_]) -> list[Bin]:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)))
    edges[-1] = math.nextafter(edges[-1], math.inf)
    place = np.digitize(values, edges) - 1
    found = []
    for k, (low, high) in enumerate(pairwise(edges)):
        inside = place == k
        signal, background = (_efficiency(passed[inside & kind]) for kind in (labels, ~labels))
        found.append(Bin(variable, float(low), float(high), *signal, *background))
    return found


def _efficiency(passed: NDArray[np.bool_]) -> tuple[float, float, int]:
    """Share that passes, its error (at least that of one jet), and the number of jets; NaN of none."""
    n = len(passed)
    if not n:
        return math.nan, math.nan, 0
    share = float(passed.mean())
    return share, binomial_error(share, n) if n > 1 else 0.5, n


def _sculpting(masses: Floats, passed: NDArray[np.bool_], rng: np.random.Generator) -> Sculpting:
    chance = [_divergence(masses, rng.permutation(passed)) for _ in range(RANDOM_CUTS)]
    return Sculpting(_divergence(masses, passed), float(np.mean(chance)))


def _divergence(masses: Floats, passed: NDArray[np.bool_]) -> float:
    """Jensen-Shannon divergence, in bits, of the masses of jets that pass and of those that fail; NaN if all do one."""
    edges = [*np.linspace(0, MASS_GEV, MASS_BINS + 1), math.inf]
    shares = [np.histogram(masses[kind], edges)[0] / max(1, np.count_nonzero(kind)) for kind in (passed, ~passed)]
    if not all(share.any() for share in shares):
        return math.nan
    middle = (shares[0] + shares[1]) / 2
    return float(sum(_relative_entropy(share, middle) for share in shares) / 2)


def _relative_entropy(share: Floats, other: Floats) -> float:
    held = share > 0
    return float((share[held] * np.log2(share[held] / other[held])).sum())

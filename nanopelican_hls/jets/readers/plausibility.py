"""Warnings about jets that are implausible, but not invalid."""

from __future__ import annotations

import logging

import numpy as np

from nanopelican_hls.jets.container import Jets, pt_gev

logger = logging.getLogger(__name__)

#: no LHC jet has more pT than the energy of one beam
BEAM_ENERGY_GEV = 7000.0
#: a jet whose soft constituents were cut off still has most of its pT in the others
MAX_PT_RATIO = 100.0


def warn_of_units(jets: Jets, where: str) -> None:
    """Warn if momenta look like MeV, or if those of constituents and of jets seem to differ in units."""
    jet_pt, sum_pt = pt_gev(jets.jet_four_momentum), pt_gev(jets.four_momenta.sum(axis=1))
    typical = float(np.median(np.maximum(jet_pt, sum_pt)))
    if typical > BEAM_ENERGY_GEV:
        logger.warning(
            "%s: the median pT of the jets is %.3g GeV, more than an LHC beam has: if these are MeV, divide by 1000",
            *(where, typical),
        )
    both = (jet_pt > 0) & (sum_pt > 0)
    ratio = float(np.median(jet_pt[both] / sum_pt[both])) if both.any() else 1.0
    if not 1 / MAX_PT_RATIO < ratio < MAX_PT_RATIO:
        logger.warning(
            "%s: the median pT of the jets is %.3g times that of the sum of their constituents: is one of them in MeV?",
            *(where, ratio),
        )


def warn_of_empty_jets(jets: Jets, where: str, start: int) -> None:
    """Warn about jets without constituents; ``start`` is the position of the first jet in its file."""
    empty = np.flatnonzero(~jets.four_momenta[..., 0].any(axis=1))
    if len(empty):
        logger.warning(
            "%s: %d of %d jets have no constituents, the first is jet %d",
            where,
            len(empty),
            len(jets),
            start + empty[0],
        )

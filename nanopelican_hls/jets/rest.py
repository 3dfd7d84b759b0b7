"""The rest particle: what the cut to the N leading constituents leaves out of a jet (docs/network.md)."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import SPACE_LIKE_TOLERANCE, Jets

logger = logging.getLogger(__name__)


def rest_momenta(jets: Jets, leading: NDArray[np.float64]) -> NDArray[np.float64]:
    """Jet minus its leading constituents, (E, px, py, pz) in GeV.

    A rest of which |p| is above E has E = |p|: it is massless, as a single soft particle is. Rounding alone does that;
    jets in which it is more than that are counted in a warning. So the rest is never space-like; a jet that lost no
    constituent has the rest 0, up to rounding.

    Parameters
    ----------
    jets : Jets
        With the four-momentum of the whole jet.
    leading : float64 [n, N, 4]
        The constituents that are subtracted.

    Returns
    -------
    float64 [n, 4]

    Raises
    ------
    JetsError
        If every jet is the sum of the constituents that are present, although some have more: then the file has no
        momentum of the whole jet.
    """
    held = jets.four_momenta
    jet = jets.jet_four_momentum
    size = SPACE_LIKE_TOLERANCE * jet[:, 0]
    cut = jets.multiplicity > np.count_nonzero(held[..., 0], axis=1)
    if cut.any() and (np.abs(jet - held.sum(1))[cut] <= size[cut, None]).all():
        raise JetsError(
            f"{np.count_nonzero(cut)} of {len(jets)} jets have more constituents than the {held.shape[1]} at most that "
            "are present, and yet the four-momentum of the jet is the sum of these",
            where="rest of the jets",
            remedy="give the four-momentum of the whole jet (jet_Pmu), or all constituents (docs/jets.md)",
        )
    rest: NDArray[np.float64] = jet - leading.sum(1)
    momentum = np.hypot(np.hypot(rest[:, 1], rest[:, 2]), rest[:, 3])
    odd = int(np.count_nonzero(momentum - rest[:, 0] > size))
    if odd:
        logger.warning(
            "%d of %d jets have a rest with |p| above E by more than rounding explains (%g of the jet's E): "
            "its E is set to |p|",
            *(odd, len(jets), SPACE_LIKE_TOLERANCE),
        )
    rest[:, 0] = np.maximum(rest[:, 0], momentum)
    return rest

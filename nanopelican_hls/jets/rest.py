"""The rest particle: what the cut to the N leading constituents leaves out of a jet (docs/network.md)."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import SPACE_LIKE_TOLERANCE, Jets

logger = logging.getLogger(__name__)


#: largest share of the jets that lost constituents whose momentum may be the sum of those that are left
MOST_WITHOUT_REST = 0.01


def require_whole(jets: Jets) -> None:
    """See that the momentum of the jets is that of all their constituents, including those that are not present.

    Raises
    ------
    JetsError
        If more than one in a hundred of the jets with more constituents than are present is the sum of these: then the
        file, or a part of it, has no momentum of the whole jet.
    """
    held, jet = jets.four_momenta, jets.jet_four_momentum
    present = np.count_nonzero(held[..., 0], axis=1)
    cut = jets.multiplicity > present
    summed = cut & (np.abs(jet - held.sum(1)) <= SPACE_LIKE_TOLERANCE * jet[:, :1]).all(1)
    count = np.count_nonzero(summed)
    if count > MOST_WITHOUT_REST * np.count_nonzero(cut):
        raise JetsError(
            f"{count} of {len(jets)} jets have more constituents than the {present[summed].max()} at most that are "
            "present, and yet the four-momentum of the jet is the sum of these",
            where=jets.source,
            remedy="give the four-momentum of the whole jet (jet_Pmu), or all constituents (docs/jets.md)",
        )


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
        As for `require_whole`.
    """
    require_whole(jets)
    jet = jets.jet_four_momentum
    size = SPACE_LIKE_TOLERANCE * jet[:, 0]
    rest: NDArray[np.float64] = jet - leading.sum(1)
    momentum = np.hypot(np.hypot(rest[:, 1], rest[:, 2]), rest[:, 3])
    odd = int(np.count_nonzero(momentum - rest[:, 0] > size))
    if odd:
        logger.warning(
            "%s: %d of %d jets have a rest with |p| above E by more than rounding explains (%g of the jet's E): "
            "its E is set to |p|",
            *(jets.source, odd, len(jets), SPACE_LIKE_TOLERANCE),
        )
    rest[:, 0] = np.maximum(rest[:, 0], momentum)
    return rest

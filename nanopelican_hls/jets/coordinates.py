"""Four-momenta in the network's coordinates, and as the values of its input ports."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets, pt_gev
from nanopelican_hls.jets.level1 import CONSTITUENT_WORDS, JET_WORDS, to_level1
from nanopelican_hls.jets.rest import require_whole, rest_momenta
from nanopelican_hls.topology.config import Coordinates, Multiplicity, MultiplicityBins, NetworkConfig, Spurions
from nanopelican_hls.topology.dataflow import ports
from nanopelican_hls.topology.level1_format import Level1Format

logger = logging.getLogger(__name__)

#: pT / |p| below which the jet axis is not used: |eta| > 5.3, outside any detector. The boost along the beam costs a
#: factor (|p| / pT)^2 in precision, and the products are the same in any frame, so the laboratory frame is used
#: instead.
MIN_SIN_THETA = 1e-2


def to_light_cone(four_momenta: ArrayLike, jet_four_momentum: ArrayLike) -> NDArray[np.float64]:
    """Light-cone components along the jet axis, in float64.

    A boost along the beam by the jet's pseudorapidity eta_0 and a rotation by its azimuth phi_0 align the jet axis with
    x; then q+ = E' + px', q- = E' - px', y = py', z = pz'. For a massless particle, with de = eta - eta_0 and dp = phi
    - phi_0::

        q+ = pT (cosh de + cos dp)   q- = pT (cosh de - cos dp)   y = pT sin dp   z = pT sinh de

    Products (`operators.PairwiseDot`) agree with those in the laboratory to 1e-10 of E_i E_j, and zero vectors stay
    exactly zero. A massless particle on the axis has q- = 0 only up to the rounding of its source (a few 1e-7 of q+ in
    float32), so q- can be slightly negative; unsigned quantisers clip it to 0.

    Parameters
    ----------
    four_momenta : [..., N, 4]
        (E, px, py, pz) in GeV of the particles of each jet.
    jet_four_momentum : [..., 4]
        (E, px, py, pz) of the jet in GeV. A jet without pT (empty), or within 0.6 degrees of the beam, is not boosted
        or rotated: its axis is x in the laboratory.

    Returns
    -------
    float64 [..., N, 4]
        (q+, q-, y, z) in GeV.
    """
    energy, px, py, pz = np.moveaxis(np.asarray(four_momenta, dtype=np.float64), -1, 0)
    cos_phi, sin_phi, cosh_eta, sinh_eta = _axis(np.asarray(jet_four_momentum, dtype=np.float64)[..., None, :])
    boosted_energy = energy * cosh_eta - pz * sinh_eta
    along = px * cos_phi + py * sin_phi
    components = (
        boosted_energy + along,
        boosted_energy - along,
        py * cos_phi - px * sin_phi,
        pz * cosh_eta - energy * sinh_eta,
    )
    return np.stack(components, axis=-1) + 0.0  # adding 0 turns the -0.0 of padding into 0.0


def port_values(jets: Jets, network: NetworkConfig) -> dict[str, NDArray[np.float64]]:
    """Values of the network's input ports before quantisation, in port order.

    Returns
    -------
    dict of str to float64 array, C-contiguous
        One array per name in `topology.dataflow.ports`: [n, N] for a component of the N leading constituents, [n, 1]
        for a component of the jet or the rest, and the number of constituents. Level-1 words have the same shapes: pt
        and mass in GeV, eta and phi as codes.

    Raises
    ------
    JetsError
        If the jets lack the momentum of the whole jet that the rest needs (`require_whole`), or constituents that
        ``multiplicity_min_pt`` counts.
    """
    columns = (
        _component_columns(jets, network) if network.level1 is None else _word_columns(jets, network, network.level1)
    )
    if network.multiplicity is Multiplicity.JET:
        count = _counted(jets, network.multiplicity_min_pt)
        _warn_outside(count, network.multiplicity_bins, jets.source)
        columns["n_jet"] = count[:, None].astype(np.float64)
    return {name: np.ascontiguousarray(columns[name]) for name in ports(network)}


def _component_columns(jets: Jets, network: NetworkConfig) -> dict[str, NDArray[np.float64]]:
    leading = jets.leading(network.n_constituents).four_momenta
    momenta = {"": leading, "jet_": jets.jet_four_momentum[:, None]}
    if network.spurions is Spurions.REST:
        momenta["rest_"] = rest_momenta(jets, leading)[:, None]
    if network.coordinates is Coordinates.LIGHT_CONE:
        momenta = {name: to_light_cone(given, jets.jet_four_momentum) for name, given in momenta.items()}
    return {f"{name}{c}": given[..., k] for name, given in momenta.items() for k, c in enumerate(network.components)}


def _counted(jets: Jets, min_pt: float) -> NDArray[np.int64]:
    """Constituents [n] of the whole jet, or those of a pT of at least ``min_pt`` GeV."""
    if not min_pt:
        return jets.multiplicity
    pt, present = pt_gev(jets.four_momenta), np.count_nonzero(jets.four_momenta[..., 0], axis=1)
    softest = np.where(jets.four_momenta[..., 0] > 0, pt, np.inf).min(axis=1)
    for jet in np.flatnonzero((jets.multiplicity > present) & (softest >= min_pt))[:1]:
        raise JetsError(
            f"constituents of at least {min_pt:g} GeV cannot be counted: of {jets.multiplicity[jet]} only the leading "
            f"{present[jet]} are present, and the last has {softest[jet]:.3g} GeV",
            where=f"{jets.source}, jet {jet}",
            remedy="use a file with more constituents, or a higher network.multiplicity_min_pt",
        )
    count: NDArray[np.int64] = np.count_nonzero(pt >= min_pt, axis=1)
    return count


def _warn_outside(count: NDArray[np.int64], bins: MultiplicityBins, source: str) -> None:
    """Log it if the bins do not cover the numbers of constituents [n] of at least half of the jets."""
    end = bins.low + bins.width * bins.bins
    below, above = int(np.count_nonzero(count < bins.low)), int(np.count_nonzero(count >= end))
    if 2 * (below + above) > len(count):
        logger.warning(
            "%s: network.multiplicity_bins do not cover the jets: of %d, %d have fewer than %d constituents, and %d at "
            "least %d, and so share the first and the last bin",
            *(source, len(count), below, bins.low, above, end),
        )


def _word_columns(jets: Jets, network: NetworkConfig, level1: Level1Format) -> dict[str, NDArray[np.float64]]:
    if network.spurions is Spurions.REST:
        require_whole(jets)
    # truncate the words: which of several constituents of equal pt is kept must not depend on rounding
    words = to_level1(jets, level1).leading(network.n_constituents)
    codes = {word: getattr(words, word) for word in CONSTITUENT_WORDS}
    codes |= {word: getattr(words, word)[:, None] for word in JET_WORDS}
    in_gev = {"pt", "jet_pt", "jet_mass"}
    return {word: np.ldexp(c.astype(np.float64), level1.pt_exponent * (word in in_gev)) for word, c in codes.items()}


def _axis(jet: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Cos and sin of the azimuth, cosh and sinh of the pseudorapidity, each [...], of jets [..., 4]."""
    _, px, py, pz = np.moveaxis(jet, -1, 0)
    pt = np.hypot(px, py)
    usable = pt > MIN_SIN_THETA * np.hypot(pt, pz)
    px, py, pz = (np.where(usable, p, on_x) for p, on_x in ((px, 1.0), (py, 0.0), (pz, 0.0)))
    pt = np.hypot(px, py)
    return px / pt, py / pt, np.hypot(pt, pz) / pt, pz / pt

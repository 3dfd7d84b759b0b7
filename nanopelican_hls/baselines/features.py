"""Baselines that see the features of constituents, and of the whole jet, standardised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nanopelican_hls.baselines.base import Baseline
from nanopelican_hls.baselines.frame import momenta_along, pt_eta_phi
from nanopelican_hls.jets import Jets
from nanopelican_hls.jets.container import pt_gev
from nanopelican_hls.jets.two_samples import mass_gev

#: maximum number of constituents, by default
CONSTITUENTS = 80
#: log pT, log(pT / pT of the jet), d eta, d phi and d R to the jet
FEATURES = 5
#: log pT, log mass and multiplicity of the whole jet
JET_FEATURES = 3


class OfFeatures(Baseline):
    """A baseline whose inputs are `FEATURES` of each constituent, and `JET_FEATURES` of the jet if it sees these.

    All are brought to mean 0 and standard deviation 1 on the training jets.

    Parameters
    ----------
    constituents : int
        Leading constituents that it sees.
    of_jet : bool
        Whether it also sees the whole jet.
    """

    def __init__(self, *, constituents: int = CONSTITUENTS, of_jet: bool = False) -> None:
        super().__init__()
        self.constituents, self.of_jet = constituents, of_jet
        self.mean = nn.Buffer(torch.zeros(FEATURES))
        self.deviation = nn.Buffer(torch.ones(FEATURES))
        if of_jet:
            self.jet_mean = nn.Buffer(torch.zeros(JET_FEATURES))
            self.jet_deviation = nn.Buffer(torch.ones(JET_FEATURES))

    def inputs(self, jets: Jets) -> Mapping[str, NDArray[Any]]:
        """``features`` float32 [n, N, 5], and ``present`` bool [n, N], true for constituents that are not padding.

        ``jet`` float32 [n, 3] too, if it sees the whole jet.
        """
        momenta = jets.leading(self.constituents).four_momenta
        present = momenta[..., 0] > 0
        pt, eta, phi = pt_eta_phi(momenta_along(momenta, jets.jet_four_momentum))
        log_pt = np.log(np.maximum(pt, 1e-6))
        log_jet_pt = np.log(np.maximum(pt_gev(jets.jet_four_momentum), 1e-6))
        log_share = log_pt - log_jet_pt[:, None]
        features = np.stack([log_pt, log_share, eta, phi, np.hypot(eta, phi)], axis=-1)
        found = {"features": np.where(present[..., None], features, 0).astype(np.float32), "present": present}
        if self.of_jet:
            # rounding leaves a jet of one massless constituent any mass below 1 MeV
            log_mass = np.log(np.maximum(mass_gev(jets), 1e-3))
            found["jet"] = np.stack([log_jet_pt, log_mass, jets.multiplicity], axis=-1).astype(np.float32)
        return found

    def fit(self, jets: Jets) -> None:
        inputs = self.inputs(jets)
        features = torch.as_tensor(inputs["features"][inputs["present"]])
        self.mean.copy_(features.mean(dim=0))
        self.deviation.copy_(features.std(dim=0))
        if self.of_jet:
            jet = torch.as_tensor(inputs["jet"])
            self.jet_mean.copy_(jet.mean(dim=0))
            self.jet_deviation.copy_(jet.std(dim=0))

    def standardised(self, features: Tensor) -> Tensor:
        """Features [..., 5] of constituents as the layers see them."""
        standard: Tensor = (features - self.mean) / self.deviation
        return standard

    def standardised_jet(self, features: Tensor) -> Tensor:
        """Features [b, 3] of jets as the layers see them."""
        standard: Tensor = (features - self.jet_mean) / self.jet_deviation
        return standard

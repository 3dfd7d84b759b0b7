"""A Deep Sets tagger: a network applied to every constituent, a sum, and a second network."""

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
WIDTH = 32


class DeepSets(Baseline):
    """Particle flow network (arXiv:1810.05165): F(sum over constituents of Phi(features)).

    Phi has three layers of `WIDTH` nodes and F one, all with ReLU. Features are standardised to mean 0 and standard
    deviation 1 on the training jets.

    Parameters
    ----------
    constituents : int
        Leading constituents that it sees.
    classes : int
        Number of logits; a single one tells signal from background.
    of_jet : bool
        Whether F also sees `JET_FEATURES` of the whole jet.
    """

    name = "deep-sets"
    title = "Deep Sets"
    learning_rate = 1e-2

    def __init__(self, *, constituents: int = CONSTITUENTS, classes: int = 1, of_jet: bool = False) -> None:
        super().__init__()
        self.constituents, self.of_jet = constituents, of_jet
        pooled = WIDTH + (JET_FEATURES if of_jet else 0)
        self.phi = nn.Sequential(
            *(nn.Linear(FEATURES, WIDTH), nn.ReLU()),
            *(nn.Linear(WIDTH, WIDTH), nn.ReLU()),
            *(nn.Linear(WIDTH, WIDTH), nn.ReLU()),
        )
        self.f = nn.Sequential(nn.Linear(pooled, WIDTH), nn.ReLU(), nn.Linear(WIDTH, classes))
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

    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        features, present = tensors["features"], tensors["present"]
        jet, _ = present.nonzero(as_tuple=True)
        latent = self.phi((features[present] - self.mean) / self.deviation)
        pooled = latent.new_zeros(len(present), WIDTH).index_add(0, jet, latent) / self.constituents
        if self.of_jet:
            pooled = torch.cat([pooled, (tensors["jet"] - self.jet_mean) / self.jet_deviation], dim=1)
        logits: Tensor = self.f(pooled).squeeze(-1)
        return logits

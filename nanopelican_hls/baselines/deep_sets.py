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

#: maximum number of constituents
CONSTITUENTS = 80
#: log pT, log(pT / pT of the jet), d eta, d phi and d R to the jet
FEATURES = 5
WIDTH = 32


class DeepSets(Baseline):
    """Particle flow network (arXiv:1810.05165): F(sum over constituents of Phi(features)).

    Phi has three layers of `WIDTH` nodes and F one, all with ReLU. Features are standardised to mean 0 and standard
    deviation 1 on the training jets.
    """

    name = "deep-sets"
    title = "Deep Sets"
    learning_rate = 1e-2

    def __init__(self) -> None:
        super().__init__()
        self.phi = nn.Sequential(
            *(nn.Linear(FEATURES, WIDTH), nn.ReLU()),
            *(nn.Linear(WIDTH, WIDTH), nn.ReLU()),
            *(nn.Linear(WIDTH, WIDTH), nn.ReLU()),
        )
        self.f = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))
        self.mean = nn.Buffer(torch.zeros(FEATURES))
        self.deviation = nn.Buffer(torch.ones(FEATURES))

    def inputs(self, jets: Jets) -> Mapping[str, NDArray[Any]]:
        """``features`` float32 [n, 80, 5], and ``present`` bool [n, 80], true for constituents that are not padding."""
        momenta = jets.leading(CONSTITUENTS).four_momenta
        present = momenta[..., 0] > 0
        pt, eta, phi = pt_eta_phi(momenta_along(momenta, jets.jet_four_momentum))
        log_pt = np.log(np.maximum(pt, 1e-6))
        log_share = log_pt - np.log(np.maximum(pt_gev(jets.jet_four_momentum), 1e-6))[:, None]
        features = np.stack([log_pt, log_share, eta, phi, np.hypot(eta, phi)], axis=-1)
        return {"features": np.where(present[..., None], features, 0).astype(np.float32), "present": present}

    def fit(self, jets: Jets) -> None:
        inputs = self.inputs(jets)
        features = torch.as_tensor(inputs["features"][inputs["present"]])
        self.mean.copy_(features.mean(dim=0))
        self.deviation.copy_(features.std(dim=0))

    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        features, present = tensors["features"], tensors["present"]
        jet, _ = present.nonzero(as_tuple=True)
        latent = self.phi((features[present] - self.mean) / self.deviation)
        pooled = latent.new_zeros(len(present), WIDTH).index_add(0, jet, latent) / CONSTITUENTS
        logits: Tensor = self.f(pooled).squeeze(-1)
        return logits

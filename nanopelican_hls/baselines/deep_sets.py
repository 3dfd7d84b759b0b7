"""A Deep Sets tagger: a network applied to every constituent, a sum, and a second network."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from nanopelican_hls.baselines.features import CONSTITUENTS, FEATURES, JET_FEATURES, OfFeatures

WIDTH = 32


class DeepSets(OfFeatures):
    """Particle flow network (arXiv:1810.05165): F(sum over constituents of Phi(features)).

    Phi has three layers of `WIDTH` nodes and F one, all with ReLU.

    Parameters
    ----------
    classes : int
        Number of logits; a single one tells signal from background.
    constituents, of_jet
        As for `OfFeatures`; F sees the whole jet, Phi does not.
    """

    name = "deep-sets"
    title = "Deep Sets"
    learning_rate = 1e-2

    def __init__(self, *, constituents: int = CONSTITUENTS, classes: int = 1, of_jet: bool = False) -> None:
        super().__init__(constituents=constituents, of_jet=of_jet)
        pooled = WIDTH + (JET_FEATURES if of_jet else 0)
        self.phi = nn.Sequential(
            *(nn.Linear(FEATURES, WIDTH), nn.ReLU()),
            *(nn.Linear(WIDTH, WIDTH), nn.ReLU()),
            *(nn.Linear(WIDTH, WIDTH), nn.ReLU()),
        )
        self.f = nn.Sequential(nn.Linear(pooled, WIDTH), nn.ReLU(), nn.Linear(WIDTH, classes))

    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        features, present = tensors["features"], tensors["present"]
        jet, _ = present.nonzero(as_tuple=True)
        latent = self.phi(self.standardised(features[present]))
        pooled = latent.new_zeros(len(present), WIDTH).index_add(0, jet, latent) / self.constituents
        if self.of_jet:
            pooled = torch.cat([pooled, self.standardised_jet(tensors["jet"])], dim=1)
        logits: Tensor = self.f(pooled).squeeze(-1)
        return logits

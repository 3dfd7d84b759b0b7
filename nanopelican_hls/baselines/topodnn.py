"""A TopoDNN-like tagger: a multilayer perceptron on the leading constituents of a jet in a standard orientation."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from nanopelican_hls.baselines.base import Baseline
from nanopelican_hls.baselines.frame import momenta_along, pt_eta_phi
from nanopelican_hls.jets import Jets

#: number of leading constituents, and nodes of the hidden layers
CONSTITUENTS = 30
HIDDEN = (300, 102, 12, 6)

#: unit of pT: the 1700 GeV of the reference is about its largest constituent pT; 600 GeV is the pT of the jets here
PT_UNIT_GEV = 600.0


class TopoDnn(Baseline):
    """Multilayer perceptron of arXiv:1704.02124 on (pT, eta, phi) of the 30 leading constituents.

    The preprocessing preserves the jet mass: the jet is rotated about the beam and boosted along it until the leading
    constituent is at eta = phi = 0, rotated about that axis until the second is at eta = 0 with phi < 0, and mirrored
    if the sum of pT eta is negative.
    """

    name = "topodnn"
    title = "TopoDNN-like MLP"
    learning_rate = 3e-3

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, next_width in pairwise((3 * CONSTITUENTS, *HIDDEN)):
            layers += [nn.Linear(width, next_width), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(HIDDEN[-1], 1))

    def inputs(self, jets: Jets) -> Mapping[str, NDArray[Any]]:
        """``constituents`` float32 [n, 90]: pT / `PT_UNIT_GEV`, eta and phi of each, zero-padded."""
        leading = jets.leading(CONSTITUENTS).four_momenta
        posed = _mirrored(_turned(momenta_along(leading, leading[:, 0])))
        pt, eta, phi = pt_eta_phi(posed)
        features = np.stack([pt / PT_UNIT_GEV, eta, phi], axis=-1)
        return {"constituents": features.reshape(len(jets), -1).astype(np.float32)}

    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = self.layers(tensors["constituents"]).squeeze(-1)
        return logits


def _turned(momenta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Momenta [n, N, 3] rotated about x so that the second lies in the plane of x and -y."""
    px, py, pz = np.moveaxis(momenta, -1, 0)
    angle = np.arctan2(pz[:, 1], -py[:, 1])[:, None]
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([px, cos * py - sin * pz, sin * py + cos * pz], axis=-1)


def _mirrored(momenta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Momenta [n, N, 3] with pz reversed where the sum of pT eta is negative."""
    pt, eta, _ = pt_eta_phi(momenta)
    mirrored: NDArray[np.float64] = np.where(((pt * eta).sum(axis=1) < 0)[:, None, None], momenta * (1, 1, -1), momenta)
    return mirrored

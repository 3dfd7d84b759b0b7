"""The jet-mass cut: a top is heavy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from nanopelican_hls.baselines.base import Baseline
from nanopelican_hls.jets import Jets
from nanopelican_hls.jets.two_samples import mass_gev


class JetMassCut(Baseline):
    """A lower cut on the jet mass.

    The logit is ``slope * mass + offset``, a logistic regression of the class on the mass. It increases with the mass,
    so the ROC curve is that of the cut; slope and offset only make loss and accuracy meaningful.
    """

    name = "jet-mass-cut"
    title = "jet-mass cut"

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(1, dtype=torch.float64), requires_grad=False)
        self.offset = nn.Parameter(torch.zeros(1, dtype=torch.float64), requires_grad=False)

    def inputs(self, jets: Jets) -> Mapping[str, NDArray[Any]]:
        """``mass_gev`` float64 [n]."""
        return {"mass_gev": mass_gev(jets)}

    def fit(self, jets: Jets) -> None:
        mass = mass_gev(jets)
        scale = mass.std()  # the solver needs numbers of order 1
        regression = LogisticRegression(C=float("inf")).fit(mass[:, None] / scale, jets.labels)
        self.slope.fill_(regression.coef_[0, 0] / scale)
        self.offset.fill_(regression.intercept_[0])

    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        return self.slope * tensors["mass_gev"] + self.offset

"""The jet-mass likelihood: the best that any window, or set of windows, in jet mass can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nanopelican_hls.baselines.base import Baseline
from nanopelican_hls.jets import Jets
from nanopelican_hls.jets.two_samples import mass_gev

#: bin width: a fifth of the FWHM of the top peak, and enough for a hundred or more of 12,000 QCD jets per bin up to 190
#: GeV; jets above the last bin are counted in it
BIN_GEV = 5.0
BINS = 60


class JetMassLikelihood(Baseline):
    """The likelihood ratio of the jet mass, which orders jets like the best mass window of any size.

    The logit at the centre of a bin is log(fraction of the top jets in it / fraction of the QCD jets in it), with one
    jet added to every bin of each histogram to avoid empty ones; it is interpolated linearly between centres to avoid
    ties.
    """

    name = "jet-mass-likelihood"
    title = "jet-mass likelihood"

    def __init__(self) -> None:
        super().__init__()
        self.log_ratio = nn.Parameter(torch.zeros(BINS, dtype=torch.float64), requires_grad=False)

    def inputs(self, jets: Jets) -> Mapping[str, NDArray[Any]]:
        """``mass_gev`` float64 [n]."""
        return {"mass_gev": mass_gev(jets)}

    def fit(self, jets: Jets) -> None:
        labels = np.asarray(jets.labels)
        bins = np.minimum(mass_gev(jets) / BIN_GEV, BINS - 1).astype(np.int64)
        top, qcd = (np.bincount(bins[labels == label], minlength=BINS) + 1 for label in (1, 0))
        self.log_ratio.copy_(torch.as_tensor(np.log(top / top.sum()) - np.log(qcd / qcd.sum())))

    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        position = (tensors["mass_gev"] / BIN_GEV - 0.5).clamp(0, BINS - 1)  # in bins, from the first centre
        below = position.floor().long().clamp(max=BINS - 2)
        return torch.lerp(self.log_ratio[below], self.log_ratio[below + 1], position - below)

"""The interface of all baselines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nanopelican_hls.jets import Jets
from nanopelican_hls.network.inference import in_chunks


class Baseline(nn.Module, ABC):
    """A tagger to compare with nPELICAN: from jets to arrays, from arrays to logits.

    Attributes
    ----------
    name : str
        Name in commands and file names.
    title : str
        Name in tables.
    learning_rate : float
        Default for Adam with batches of 512 jets; not used by a baseline that `fit` completes.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    learning_rate: ClassVar[float] = 1e-3

    @abstractmethod
    def inputs(self, jets: Jets) -> Mapping[str, NDArray[Any]]:
        """The inputs of `forward`, as arrays [n, ...] by name; labels are not included."""

    @abstractmethod
    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Logits [b] of a batch of `inputs`; a jet is tagged as top if its logit is above 0. Or [b, K] of K classes."""

    def fit(self, jets: Jets) -> None:
        """Set whatever is computed directly from the training jets, not by gradient; both classes must be present."""

    @property
    def parameter_count(self) -> int:
        """Number of values set in training, by gradient or by `fit`; statistics that scale inputs are not counted."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def trainable(self) -> list[nn.Parameter]:
        """Parameters trained by gradient."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    @property
    def device(self) -> torch.device:
        """Device of the parameters."""
        return next(self.parameters()).device

    def logits(self, jets: Jets) -> NDArray[np.float64]:
        """Logits [n], or [n, K], of jets, in evaluation mode and without gradients."""
        return self.logits_of(self.inputs(jets))

    def logits_of(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """The same from `inputs`, if these are already at hand."""
        self.eval()
        logits: NDArray[np.float64] = (
            in_chunks(lambda x: {"logits": self(x)}, inputs, self.device)["logits"].double().numpy()
        )
        return logits

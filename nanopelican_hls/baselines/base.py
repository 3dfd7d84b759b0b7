"""What every baseline is."""

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
    """A tagger to compare nPELICAN with: from jets to arrays, from arrays to logits.

    Attributes
    ----------
    name : str
        In commands and file names.
    title : str
        In tables.
    learning_rate : float
        That of Adam with batches of 512 jets, unless another is asked for; not used by a baseline that `fit` completes.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    learning_rate: ClassVar[float] = 1e-3

    @abstractmethod
    def inputs(self, jets: Jets) -> Mapping[str, NDArray[Any]]:
        """What `forward` takes, as arrays [n, ...] by name; labels are not among it."""

    @abstractmethod
    def forward(self, tensors: Mapping[str, Tensor]) -> Tensor:
        """Logits [b] of a batch of `inputs`; a jet is tagged as top if its logit is above 0."""

    def fit(self, jets: Jets) -> None:
        """Set what comes straight from the training jets, not from gradients; both classes must occur."""

    @property
    def parameter_count(self) -> int:
        """Numbers that training sets, by gradient or by `fit`; statistics that scale inputs are left out."""
        return sum(parameter.numel() for parameter in self.parameters())

    @property
    def trainable(self) -> list[nn.Parameter]:
        """Those that are trained by gradient."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    def logits(self, jets: Jets) -> NDArray[np.float64]:
        """Logits [n] of jets, in evaluation mode and without gradients."""
        return self.logits_of(self.inputs(jets))

    def logits_of(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """The same from `inputs`, for those who hold them already."""
        self.eval()
        logits: NDArray[np.float64] = (
            in_chunks(lambda x: {"logits": self(x)}, inputs, self.device)["logits"].double().numpy()
        )
        return logits

"""Masked BatchNorm over the valid entries of the M x M arrays, as an affine map that the fold can absorb."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Affine(NamedTuple):
    """``scale * x + offset`` per channel, both [C] (or [1])."""

    scale: Tensor
    offset: Tensor


class Moments(NamedTuple):
    """Sums of values and of squares [C] over all valid entries (i, j) of a batch, and their number (scalar)."""

    total: Tensor
    squares: Tensor
    number: Tensor


class MaskedBatchNorm(nn.Module):
    """BatchNorm with learned scale and offset, whose statistics exclude padded particles.

    In training it uses and tracks the statistics of the batch; in evaluation it uses the tracked ones.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, *, momentum: float = 0.05, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, batch: Moments) -> Affine:
        """The normalisation as an affine map; ``batch`` is used in training only."""
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean = batch.total / batch.number
            var = batch.squares / batch.number - mean.square()
            self.running_mean.lerp_(mean.detach(), self.momentum)
            self.running_var.lerp_(var.detach(), self.momentum)
        scale = self.weight * torch.rsqrt(var + self.epsilon)
        return Affine(scale, self.bias - scale * mean)

"""The running moments of the masked BatchNorm."""

from __future__ import annotations

import torch

from nanopelican_hls.network.batch_norm import MaskedBatchNorm, Moments


def test_running_moments_follow_the_batches_slowly():
    norm = MaskedBatchNorm(1, momentum=0.25).double().train()
    for values in ([1.0, 3.0], [5.0, 13.0]):  # mean 2 and variance 1, mean 9 and variance 16
        x = torch.tensor(values, dtype=torch.float64)[:, None]
        norm(Moments(x.sum(0), x.square().sum(0), torch.tensor(float(len(x)))))
    assert norm.running_mean.item() == 0.75 * (0.25 * 2) + 0.25 * 9
    assert norm.running_var.item() == 0.75 * (0.75 * 1 + 0.25 * 1) + 0.25 * 16

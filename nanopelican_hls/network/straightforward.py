"""The network exactly as its equations are written: six arrays of N x N entries per jet.

Reference for tests and benchmarks of the fast form; not used anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import dropout

from nanopelican_hls.network.batch_norm import MaskedBatchNorm
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.square_products import metric, particles


def straightforward_logits(net: FloatNetwork, values: Mapping[str, NDArray[np.float64] | Tensor]) -> Tensor:
    """Logits of a float network from port values, in the precision of its parameters (docs/network.md, Equations).

    Of shape [B], or [B, K] with K classes.

    In training it normalises with the statistics of the batch, without tracking them. Dropout drops the entries (i, j)
    and (j, i) independently.
    """
    momenta, tensors = particles(net.network, values)
    mask = tensors["mask"]
    d = momenta @ momenta.new_tensor(metric(net.network.coordinates)) @ momenta.transpose(1, 2)
    eye = torch.eye(d.shape[1], dtype=d.dtype, device=d.device)
    massive = eye.clone()
    massive.diagonal()[int(net.network.spurion is not None) :] = 0
    d = (net.d_unit * d * (1 - eye + massive)).to(net.c1.dtype)[..., None]
    eye, mask = eye.to(d.dtype)[:, :, None], mask.to(d.dtype)
    valid = (mask[:, :, None] * mask[:, None, :])[..., None]
    n = mask.sum(1)
    row = tensors["multiplicity_bin"][:, 0] if "multiplicity_bin" in tensors else n
    rate = net.dropout if net.training else 0.0

    d = dropout(_normalised(net.input_norm, d, valid, net.training), rate)
    r, s = d.sum(2) / net.nbar, d.sum((1, 2)) / net.nbar**2
    aggregators = [
        d,
        eye * r[:, :, None],
        r[:, None, :].expand_as(d),
        r[:, :, None].expand_as(d),
        s[:, None, None].expand_as(d),
        eye * s[:, None, None],
    ]
    weights = [net.c1, *(getattr(net, name) for name in ("c2", "c3", "c4", "c5", "c6"))]
    scales = [_scale(net, name, row)[:, None, None, None] for name in ("c1", "c2", "c3", "c4", "c5", "c6")]
    basis = torch.cat([scale * x for scale, x in zip(scales, aggregators, strict=True)], -1)
    z = basis @ torch.stack(weights) + net.b + eye * net.b_diag
    z = z + _table(net, "b_table", row)[:, None, None] + eye * _table(net, "b_diag_table", row)[:, None, None]

    x = dropout(_normalised(net.hidden_norm, torch.relu(z) * valid, valid, net.training), rate)
    total = x.sum((1, 2)) / net.nbar**2 * _scale(net, "k0", row)[:, None]
    trace = (x * eye).sum((1, 2)) / net.nbar * _scale(net, "k1", row)[:, None]
    logits = _weighted(total, net.k0) + _weighted(trace, net.k1) + net.b0 + _table(net, "b0_table", row)
    if net.network.spurion_readout:
        logits = logits + _weighted((x[:, 0, 1:] + x[:, 1:, 0]).sum(1) / net.nbar**2, net.k0_spurion)
    return logits if net.network.classes else logits[:, 0]


def _weighted(sums: Tensor, weights: Tensor) -> Tensor:
    """Sums [B, C] with the weights [C] or [K, C] of the readout: [B, 1] or [B, K]."""
    return (sums[:, None] * weights.view(-1, weights.shape[-1])).sum(2)


def _scale(net: FloatNetwork, name: str, row: Tensor) -> Tensor:
    """Multiplicity factor [B] of an aggregator in nPELICAN_N, otherwise 1."""
    factor = net.multiplicity_factor(name) if name != "c1" else 1.0
    return factor[row.long(), 0] if isinstance(factor, Tensor) else torch.ones_like(row)


def _table(net: FloatNetwork, name: str, row: Tensor) -> Tensor:
    """Entries [B, C] of a trained table, or 0 if the network has none."""
    table = net.table(name)
    return table[row.long()] if isinstance(table, Tensor) else net.b0.new_zeros(len(row), 1)


def _normalised(norm: MaskedBatchNorm | None, x: Tensor, valid: Tensor, training: bool) -> Tensor:
    if norm is None:
        return x
    mean, var = norm.running_mean, norm.running_var
    if training:
        number = valid.sum()
        mean = (x * valid).sum((0, 1, 2)) / number
        var = ((x - mean).square() * valid).sum((0, 1, 2)) / number
    return ((x - mean) * torch.rsqrt(var + norm.epsilon) * norm.weight + norm.bias) * valid

"""The network of docs/network.md, written out: one jet at a time, valid particles only, full n x n arrays."""

from __future__ import annotations

import numpy as np

from nanopelican_hls.config import Coordinates
from nanopelican_hls.network.batch_norm import MaskedBatchNorm
from nanopelican_hls.network.float_network import FloatNetwork

METRIC = np.diag([1.0, -1.0, -1.0, -1.0])


def reference_logits(net: FloatNetwork, ports) -> np.ndarray:
    """Logits [B] of a float network with its tracked BatchNorm statistics, in float64."""
    jets = len(next(iter(ports.values())))
    return np.array(
        [_logit(net, _products(net, {name: value[b] for name, value in ports.items()})) for b in range(jets)]
    )


def _products(net: FloatNetwork, ports) -> np.ndarray:
    """d_ij [n, n] of the valid particles of one jet, spurions first."""
    network = net.network
    constituents = np.stack([ports[c] for c in network.components], axis=1)
    particles = [p for p in constituents if p[0] != 0]
    if network.beams:
        particles = [np.array([1.0, 0, 0, 1]), np.array([1.0, 0, 0, -1]), *particles]
    if network.has_jet:
        particles = [np.concatenate([ports[f"jet_{c}"] for c in network.components]), *particles]
    p = np.array(particles).reshape(-1, 4)
    if network.coordinates is Coordinates.LIGHT_CONE:
        p = np.stack([(p[:, 0] + p[:, 1]) / 2, (p[:, 0] - p[:, 1]) / 2, p[:, 2], p[:, 3]], axis=1)
    d = p @ METRIC @ p.T
    massless = np.arange(len(p)) >= network.has_jet
    d[massless, massless] = 0
    return d


def _logit(net: FloatNetwork, d: np.ndarray) -> float:
    n = len(d)
    weights = {name: p.detach().double().numpy() for name, p in net.named_parameters()}
    c1, c2, c3, c5, c6, b, b_diag = (weights[name] for name in ("c1", "c2", "c3", "c5", "c6", "b", "b_diag"))
    c4 = weights.get("untied_c4", c3)
    d = _normalised(net.input_norm, net.d_unit * d[:, :, None])[:, :, 0]
    r, total = d.sum(1) / net.nbar, d.sum() / net.nbar**2
    x = np.zeros((n, n, len(c1)))
    for i in range(n):
        for j in range(n):
            on = float(i == j)
            x[i, j] = c1 * d[i, j] + c2 * on * r[i] + c3 * r[j] + c4 * r[i] + c5 * total + c6 * on * total
            x[i, j] += b + on * b_diag
    x = _normalised(net.hidden_norm, np.maximum(x, 0))
    trace = sum((x[i, i] for i in range(n)), np.zeros(len(c1)))
    per_channel = weights["k0"] / net.nbar**2 * x.sum((0, 1)) + weights["k1"] / net.nbar * trace
    return float(weights["b0"][0] + per_channel.sum())


def _normalised(norm: MaskedBatchNorm | None, x: np.ndarray) -> np.ndarray:
    if norm is None:
        return x
    mean, var, weight, bias = (
        t.detach().double().numpy() for t in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return (x - mean) / np.sqrt(var + norm.epsilon) * weight + bias

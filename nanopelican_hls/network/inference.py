"""Evaluation of networks on any number of jets, in chunks to bound memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.square_products import square_products

#: jets evaluated at once: bounds memory, does not affect results
CHUNK = 2000
CPU = torch.device("cpu")

Tensors = dict[str, Tensor]


def in_chunks(call: Callable[[Tensors], Tensors], values: Mapping[str, Any], device: torch.device = CPU) -> Tensors:
    """Evaluate ``call`` on slices of the jets on a device, without gradients; its results [b, ...] joined by name."""
    parts = []
    with torch.no_grad():
        for start in range(0, len(next(iter(values.values()))), CHUNK):
            chunk = {name: torch.as_tensor(v[start : start + CHUNK]).to(device) for name, v in values.items()}
            parts.append({name: tensor.cpu() for name, tensor in call(chunk).items()})
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def float_logits(net: FloatNetwork, values: Mapping[str, Any]) -> NDArray[np.float64]:
    """Logits [n] or [n, K] of a float network from port values, computed in the precision of its parameters."""
    net.eval()

    def call(tensors: Tensors) -> Tensors:
        single = {name: tensor.to(net.b0.dtype) for name, tensor in tensors.items()}
        return {"logits": net(square_products(net.network, single)).double()}

    logits: NDArray[np.float64] = in_chunks(call, values, net.b0.device)["logits"].numpy()
    return logits

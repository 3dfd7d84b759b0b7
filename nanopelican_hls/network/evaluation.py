"""Labelled jets as port values, and the figures of a network on them."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanopelican_hls.contract.description import NetworkDescription
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.network.metrics import Figures, figures
from nanopelican_hls.network.products import square_products
from nanopelican_hls.network.quantised_network import QuantisedNetwork

#: jets evaluated at once: bounds memory, changes no result
CHUNK = 2000
CPU = torch.device("cpu")

Tensors = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Sample:
    """Port values [n, N] or [n, 1] by name, before quantisation, with labels [n] (1 = signal), all float64."""

    values: Mapping[str, NDArray[np.float64]]
    labels: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)

    def head(self, events: int | None) -> Sample:
        """The first jets."""
        return Sample({name: v[:events] for name, v in self.values.items()}, self.labels[:events])

    @property
    def fingerprint(self) -> int:
        """Tells one sample from another."""
        checksum = zlib.crc32(self.labels.tobytes())
        for name in sorted(self.values):
            checksum = zlib.crc32(self.values[name].tobytes(), checksum)
        return checksum


def in_chunks(call: Callable[[Tensors], Tensors], values: Mapping[str, Any], device: torch.device = CPU) -> Tensors:
    """``call`` on slices of the jets on a device, its results [b, ...] joined by name; without gradients."""
    parts = []
    with torch.no_grad():
        for start in range(0, len(next(iter(values.values()))), CHUNK):
            chunk = {name: torch.as_tensor(v[start : start + CHUNK]).to(device) for name, v in values.items()}
            parts.append({name: tensor.cpu() for name, tensor in call(chunk).items()})
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def float_logits(net: FloatNetwork, values: Mapping[str, Any]) -> NDArray[np.float64]:
    """Logits [n] of a float network from port values, computed in the precision of its parameters."""
    net.eval()

    def call(tensors: Tensors) -> Tensors:
        single = {name: tensor.to(net.b0.dtype) for name, tensor in tensors.items()}
        return {"logit": net(square_products(net.network, single)).double()}

    logits: NDArray[np.float64] = in_chunks(call, values, net.b0.device)["logit"].numpy()
    return logits


def float_figures(net: FloatNetwork, sample: Sample) -> Figures:
    """Figures of a float network, computed in the precision of its parameters."""
    return figures(sample.labels, float_logits(net, sample.values))


def quantised_figures(net: QuantisedNetwork, sample: Sample) -> Figures:
    """Figures of a quantised network, in float64 and so exactly those of the firmware."""
    net = copy.deepcopy(net).double().eval()
    logits = in_chunks(lambda x: {"logit": net(x)}, sample.values, net.device)["logit"]
    return figures(sample.labels, logits.numpy())


def folded_figures(net: FloatNetwork, description: NetworkDescription, sample: Sample) -> Figures:
    """Figures of a float network after the fold, through the dataflow of the hardware with all quantisers off."""
    folded = QuantisedNetwork.from_description(replace(description, parameters=fold(net)))
    for name in folded.quantisers:
        folded.quantiser(name).enabled = False
    return quantised_figures(folded, sample)

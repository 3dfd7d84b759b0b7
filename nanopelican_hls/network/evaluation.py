"""Labelled jets as port values, and the figures of a network on them."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanopelican_hls.config import NetworkConfig
from nanopelican_hls.network.execution import execute, split
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.metrics import Figures, figures
from nanopelican_hls.network.quantised_network import QuantisedNetwork

#: jets evaluated at once: bounds memory, changes no result
CHUNK = 2000

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


def in_chunks(call: Callable[[Tensors], Tensors], values: Mapping[str, Any]) -> Tensors:
    """``call`` on slices of the jets, its results [b, ...] joined by name; without gradients."""
    parts = []
    with torch.no_grad():
        for start in range(0, len(next(iter(values.values()))), CHUNK):
            parts.append(call({name: torch.as_tensor(v[start : start + CHUNK]) for name, v in values.items()}))
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def exact_products(network: NetworkConfig, values: Mapping[str, NDArray[np.float64]]) -> Tensors:
    """The float network's input: what the dataflow computes before the first weight, unquantised, in float64."""
    steps, _ = split(network, tables=False)

    def call(tensors: Tensors) -> Tensors:
        tensors = dict(tensors)
        execute(steps, tensors, {})
        return {step.output: tensors[step.output] for step in steps}

    return in_chunks(call, values)


def float_figures(net: FloatNetwork, products: Tensors, labels: NDArray[np.float64]) -> Figures:
    """Figures of a float network, in float64, from `exact_products`."""
    net = copy.deepcopy(net).double().eval()
    logits = in_chunks(lambda x: {"logit": net({k: v.double() for k, v in x.items()})}, products)["logit"]
    return figures(labels, logits.numpy())


def quantised_figures(net: QuantisedNetwork, sample: Sample) -> Figures:
    """Figures of a quantised network, in float64 and so exactly those of the firmware."""
    net = copy.deepcopy(net).double().eval()
    return figures(sample.labels, in_chunks(lambda x: {"logit": net(x)}, sample.values)["logit"].numpy())

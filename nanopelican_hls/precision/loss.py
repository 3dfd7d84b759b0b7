"""The measured loss of a network as its quantisers change."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from nanopelican_hls.evaluation.loss import cross_entropy
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.network.interpreter import execute, joined_logits, split
from nanopelican_hls.topology.dataflow import ports
from nanopelican_hls.topology.description import NetworkDescription

Tensors = dict[str, Tensor]


def quantised(x: Tensor, quantiser: Quantiser) -> Tensor:
    """`Quantiser.__call__` in torch, for float64."""
    scaled = x / quantiser.scale
    rounded = scaled.round() if quantiser.rounding is Rounding.ROUND else scaled.floor()
    return rounded.clamp(quantiser.low, quantiser.high) * quantiser.scale


class MeasuredLoss:
    """Mean loss on a sample, exactly that of the firmware, for a network whose quantisers change.

    Parameters
    ----------
    description : NetworkDescription
        The initial network.
    sample : Sample
        The jets.
    """

    def __init__(self, description: NetworkDescription, sample: Sample) -> None:
        self.quantisers = dict(description.quantisers)
        self._parameters = {name: torch.as_tensor(value) for name, value in description.parameters.items()}
        self._ports = {name: torch.as_tensor(sample.values[name]) for name in ports(description.network)}
        self._network = description.network
        self._labels = torch.as_tensor(sample.labels)
        self._before_weights, self._trained = split(description.network, tables=description.tables)
        self._products = self._multiplied(self.quantisers)

    def change(self, quantisers: Mapping[str, Quantiser]) -> None:
        """Replace the quantisers of some tensors permanently."""
        self.quantisers |= quantisers
        self._products = self._multiplied(self.quantisers)

    def __call__(self, quantisers: Mapping[str, Quantiser] | None = None) -> float:
        """The loss, optionally with other quantisers for some tensors."""
        changes = quantisers or {}
        chosen = self.quantisers | dict(changes)
        anew = any(name in self._products for name in changes)
        tensors = dict(self._multiplied(chosen) if anew else self._products)
        tensors |= {name: quantised(value, chosen[name]) for name, value in self._parameters.items()}
        execute(self._trained, tensors, _callables(chosen))
        return cross_entropy(joined_logits(self._network, tensors), self._labels).item()

    def _multiplied(self, chosen: Mapping[str, Quantiser]) -> Tensors:
        """Everything before the first parameter: ports, mask, products and their sums."""
        tensors = {name: quantised(value, chosen[name]) for name, value in self._ports.items()}
        execute(self._before_weights, tensors, _callables(chosen))
        return tensors


def _callables(chosen: Mapping[str, Quantiser]) -> dict[str, partial[Tensor]]:
    return {name: partial(quantised, quantiser=quantiser) for name, quantiser in chosen.items()}

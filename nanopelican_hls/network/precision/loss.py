"""The measured loss of a network under changes of its quantisers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from nanopelican_hls.contract.description import NetworkDescription
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.network.evaluation import Sample
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.network.tensor_quantiser import TensorQuantiser


class MeasuredLoss:
    """Mean loss on a sample, exactly that of the firmware, of a network whose quantisers change.

    Parameters
    ----------
    description : NetworkDescription
        The network to begin with.
    sample : Sample
        The jets.
    """

    def __init__(self, description: NetworkDescription, sample: Sample) -> None:
        self._net = QuantisedNetwork.from_description(description)
        self._sample, self._labels = sample, torch.as_tensor(sample.labels)
        with torch.no_grad():
            self._products = self._net.products(sample.values)

    @property
    def quantisers(self) -> dict[str, Quantiser]:
        return {name: self._net.quantiser(name).quantiser for name in self._net.quantisers}

    def change(self, quantisers: Mapping[str, Quantiser]) -> None:
        """Give tensors other quantisers, for good."""
        self._exchange(quantisers)
        if any(name in self._products for name in quantisers):
            with torch.no_grad():
                self._products = self._net.products(self._sample.values)

    @torch.no_grad()
    def __call__(self, quantisers: Mapping[str, Quantiser] | None = None) -> float:
        """The loss, with other quantisers for some tensors if these are given."""
        changes = quantisers or {}
        before = {name: self._net.quantiser(name).quantiser for name in changes}
        self._exchange(changes)
        anew = any(name in self._products for name in changes)
        products = self._net.products(self._sample.values) if anew else self._products
        loss = binary_cross_entropy_with_logits(self._net.logits(products), self._labels).item()
        self._exchange(before)
        return loss

    def _exchange(self, quantisers: Mapping[str, Quantiser]) -> None:
        for name, quantiser in quantisers.items():
            self._net.quantisers[name] = TensorQuantiser(quantiser)

"""The network as hardware computes it: the dataflow with a Brevitas quantiser at every quantised tensor."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from nanopelican_hls.contract.dataflow import ports
from nanopelican_hls.contract.description import NetworkDescription
from nanopelican_hls.errors import NetworkError
from nanopelican_hls.network.execution import execute, split
from nanopelican_hls.network.tensor_quantiser import TensorQuantiser


class QuantisedNetwork(nn.Module):
    """A trainable `NetworkDescription`.

    In float64 (`from_description` gives that) every tensor is exactly what the QONNX graph gives. The first part of the
    dataflow, up to the sums of dot products, holds nothing that is trained by gradient: training computes it once.
    """

    def __init__(self, description: NetworkDescription) -> None:
        super().__init__()
        self.network = description.network
        self.quantisers = nn.ModuleDict({name: TensorQuantiser(q) for name, q in description.quantisers.items()})
        self.weights = nn.ParameterDict(
            {name: nn.Parameter(torch.tensor(value)) for name, value in description.parameters.items()}
        )
        self._product_steps, self._trained_steps = split(self.network, tables=description.tables)

    @classmethod
    def from_description(cls, description: NetworkDescription) -> QuantisedNetwork:
        """The network of a description, in float64 and evaluation mode."""
        return cls(description).eval()

    def describe(self) -> NetworkDescription:
        """The network as plain numbers, for the export."""
        return NetworkDescription(
            network=self.network,
            quantisers={name: self.quantiser(name).quantiser for name in self.quantisers},
            parameters={name: value.detach().double().numpy().copy() for name, value in self.weights.items()},
        )

    def quantiser(self, name: str) -> TensorQuantiser:
        """The quantiser on tensor ``name``."""
        module = self.quantisers[name]
        assert isinstance(module, TensorQuantiser)
        return module

    def products(self, values: Mapping[str, ArrayLike | Tensor]) -> dict[str, Tensor]:
        """The first part: port values [B, N] or [B, 1] by name to ports, mask, d, [d_jet, d_jj], r and s.

        Raises
        ------
        NetworkError
            If a port is missing or unknown.
        """
        known = ports(self.network)
        for odd in sorted(set(known) ^ set(values)):
            raise NetworkError("unknown port" if odd in values else "missing port", where=odd)
        dtype = next(iter(self.weights.values())).dtype
        tensors = {name: self.quantisers[name](torch.as_tensor(values[name]).to(dtype)) for name in known}
        execute(self._product_steps, tensors, self._activation_quantisers)
        return tensors

    def complete(self, products: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The second part: what `products` gave to all tensors, quantised parameters among them."""
        tensors = dict(products) | {name: self.quantisers[name](value) for name, value in self.weights.items()}
        execute(self._trained_steps, tensors, self._activation_quantisers)
        return tensors

    def tensors(self, values: Mapping[str, ArrayLike | Tensor]) -> dict[str, Tensor]:
        """Every tensor of the dataflow by name, from port values: ``t``, and ``t_exact`` where it is quantised."""
        everything = self.complete(self.products(values))
        return {name: tensor for name, tensor in everything.items() if name not in self.weights}

    def logits(self, products: Mapping[str, Tensor]) -> Tensor:
        """Quantised logits [B] from what `products` gave."""
        return self.complete(products)["logit"][:, 0]

    def forward(self, values: Mapping[str, ArrayLike | Tensor]) -> Tensor:
        """Quantised logits [B] from port values."""
        return self.logits(self.products(values))

    @property
    def _activation_quantisers(self) -> dict[str, TensorQuantiser]:
        return {name: self.quantiser(name) for name in self.quantisers}

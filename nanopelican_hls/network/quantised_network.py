"""The network as computed in hardware: the dataflow with a Brevitas quantiser on every quantised tensor."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from nanopelican_hls.errors import NetworkError
from nanopelican_hls.network.interpreter import around, execute, joined_logits, split
from nanopelican_hls.network.pair_level import CHAIN, PairSettings, pair_sums
from nanopelican_hls.network.square_products import unpacked
from nanopelican_hls.network.tensor_quantiser import TensorQuantiser
from nanopelican_hls.operators.pair_sum import PairSum
from nanopelican_hls.operators.spurion_sum import SpurionSum
from nanopelican_hls.topology.dataflow import outputs, ports
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.topology.result import PLAIN, RESULT_QUANTISERS, Result


class QuantisedNetwork(nn.Module):
    """A trainable `NetworkDescription`.

    In float64 (as from `from_description`) every tensor equals that of the QONNX graph exactly. The first part of the
    dataflow, up to the sums of dot products, has no parameters trained by gradient, so training computes it once.
    """

    def __init__(self, description: NetworkDescription) -> None:
        super().__init__()
        self.network = description.network
        self.quantisers = nn.ModuleDict({name: TensorQuantiser(q) for name, q in description.quantisers.items()})
        self.weights = nn.ParameterDict(
            {name: nn.Parameter(torch.tensor(value)) for name, value in description.parameters.items()}
        )
        self._product_steps, self._trained_steps = split(self.network, tables=description.tables)
        self._pairs = around(self._trained_steps, CHAIN)

    @classmethod
    def from_description(cls, description: NetworkDescription) -> QuantisedNetwork:
        """The network of a description, in float64 and evaluation mode."""
        return cls(description).eval()

    def describe(self) -> NetworkDescription:
        """The network as plain numbers, for the export."""
        return NetworkDescription(
            network=self.network,
            quantisers={name: self.quantiser(name).quantiser for name in self.quantisers},
            parameters={name: value.detach().cpu().double().numpy().copy() for name, value in self.weights.items()},
        )

    @property
    def device(self) -> torch.device:
        device: torch.device = next(iter(self.weights.values())).device
        return device

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
            raise NetworkError(
                "unknown port" if odd in values else "missing port",
                where=odd,
                remedy="pass the ports of port_values(jets, network)",
            )
        dtype = next(iter(self.weights.values())).dtype
        tensors = {name: self.quantisers[name](torch.as_tensor(values[name]).to(self.device, dtype)) for name in known}
        execute(self._product_steps, tensors, self._activation_quantisers)
        return tensors

    def complete(self, products: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The second part: from the output of `products` to all tensors, including the quantised parameters."""
        tensors = dict(products) | self._quantised_weights()
        execute(self._trained_steps, tensors, self._activation_quantisers)
        return tensors

    def tensors(self, values: Mapping[str, ArrayLike | Tensor], result: Result = PLAIN) -> dict[str, Tensor]:
        """Every tensor of the dataflow, and of the steps to a result, by name, from port values.

        ``t``, and ``t_exact`` where it is quantised.
        """
        everything = self.complete(self.products(values))
        if result != PLAIN:
            (logit,) = outputs(self.network)
            quantisers = {name: TensorQuantiser(quantiser) for name, quantiser in RESULT_QUANTISERS.items()}
            execute(result.steps(logit, self.quantiser(logit).quantiser.range), everything, quantisers)
        return {name: tensor for name, tensor in everything.items() if name not in self.weights}

    def logits(self, products: Mapping[str, Tensor]) -> Tensor:
        """Quantised logits [B], or [B, K] of K classes, from the output of `products`.

        The pair level is computed in one pass; in float64 the logits equal those of `complete` bit for bit, since no
        sum in the contract is ever rounded.
        """
        tensors = dict(products) | self._quantised_weights()
        execute(self._pairs.before, tensors, self._activation_quantisers)
        mix, relu = self._pairs.chain
        total = self._pairs.ends[PairSum]
        given = {name: tensors[tensor] for name, tensor in mix.given.items()}
        d = torch.cat([given["d_jet"], given["d"]], 1) if "d_jet" in given else given["d"]
        sums = pair_sums(
            unpacked(d, self.network.particles),
            given["row"],
            given.get("column", given["row"]),
            given["w_d"],
            tensors[total.given["mask"]],
            PairSettings(self._activation_quantisers.get(relu.output), apart=SpurionSum in self._pairs.ends),
        )
        for kind, values in ((PairSum, sums.total), (SpurionSum, sums.apart)):
            if kind in self._pairs.ends:
                name = self._pairs.ends[kind].output
                tensors[name] = self._activation_quantisers.get(name, nn.Identity())(values)
        execute(self._pairs.after, tensors, self._activation_quantisers)
        return joined_logits(self.network, tensors)

    def forward(self, values: Mapping[str, ArrayLike | Tensor]) -> Tensor:
        """Quantised logits [B], or [B, K] of K classes, from port values."""
        return self.logits(self.products(values))

    def _quantised_weights(self) -> dict[str, Tensor]:
        return {name: self.quantisers[name](value) for name, value in self.weights.items()}

    @property
    def _activation_quantisers(self) -> dict[str, TensorQuantiser]:
        return {name: self.quantiser(name) for name in self.quantisers}

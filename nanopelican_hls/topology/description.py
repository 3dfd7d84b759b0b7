"""A quantised network as plain numbers, passed from training to the export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import ContractError
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.dataflow import activations, has_tables, outputs, parameters, ports


@dataclass(frozen=True)
class NetworkDescription:
    """Everything that goes into the QONNX graph.

    Parameters
    ----------
    network : NetworkConfig
        The form of the network.
    quantisers : mapping of str to Quantiser
        By tensor: all ports and parameters, the quantised inner tensors, and the outputs.
    parameters : mapping of str to float64 array
        Parameters before quantisation, with the names and shapes of `dataflow.parameters`.
    """

    network: NetworkConfig
    quantisers: Mapping[str, Quantiser]
    parameters: Mapping[str, NDArray[np.float64]]

    @property
    def tables(self) -> bool:
        """Whether the biases are tables over the number of valid particles."""
        return has_tables(self.network, self.parameters)

    def __post_init__(self) -> None:
        shapes = {name: shape for name, (_, shape) in parameters(self.network, tables=self.tables).items()}
        given = {name: value.shape for name, value in self.parameters.items()}
        if shapes != given:
            odd = sorted(set(shapes.items()) ^ set(given.items()))[0][0]
            raise ContractError(
                f"parameter has shape {given.get(odd, 'absent')}, expected {shapes.get(odd, 'no such parameter')}",
                where=odd,
                remedy="describe every parameter of the network once, with its shape",
            )
        for name, value in self.parameters.items():
            if not np.isfinite(value).all():
                raise ContractError("is NaN or infinite", where=name, remedy="train the model again")
        known = [*ports(self.network), *shapes, *activations(self.network)]
        for name in [*ports(self.network), *shapes, *outputs(self.network)]:
            if name not in self.quantisers:
                raise ContractError(
                    "has no quantiser", where=name, remedy="give it one: ports, parameters and outputs need it"
                )
        for name in self.quantisers:
            if name not in known:
                raise ContractError(
                    "has a quantiser, but the network has no such tensor", where=name, remedy="remove the quantiser"
                )

"""A trained model, ready for evaluation and export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls import zoo
from nanopelican_hls.config import Config, to_mapping
from nanopelican_hls.contract.program import Program, save_program
from nanopelican_hls.errors import NetworkError
from nanopelican_hls.network.checkpoint import Checkpoint, load_checkpoint, require_equal
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.inference import float_logits, in_chunks
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.topology.export import build_program

Ports = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """The float and the quantised network of a checkpoint, both in float64."""

    checkpoint: Checkpoint

    @property
    def config(self) -> Config:
        return self.checkpoint.config

    @cached_property
    def float_network(self) -> FloatNetwork:
        network = FloatNetwork(self.config.network, nbar=self.config.training.nbar, seed=self.checkpoint.seed)
        try:
            network.load_state_dict(dict(self.checkpoint.float_state))
        except RuntimeError as error:
            raise NetworkError(
                f"the parameters do not match its float network: {' '.join(str(error).split())}",
                where=self.config.name,
                remedy="train the model again",
            ) from error
        return network.double().eval()

    @cached_property
    def quantised_network(self) -> QuantisedNetwork:
        return QuantisedNetwork.from_description(self.description)

    @property
    def description(self) -> NetworkDescription:
        """The quantised network as plain numbers.

        Raises
        ------
        NetworkError
            If the model was trained in floating point only.
        """
        if self.checkpoint.description is None:
            raise NetworkError(
                "has no quantised network",
                where=self.config.name,
                remedy="train it with training.quantised_epochs above 0",
            )
        return self.checkpoint.description

    def float_logits(self, ports: Ports) -> NDArray[np.float64]:
        """Logits [n] or [n, K] of the network before quantisation, from port values [n, N] and [n, 1]."""
        return float_logits(self.float_network, ports)

    def quantised_tensors(self, ports: Ports) -> dict[str, NDArray[np.float64]]:
        """Every tensor of the quantised network and of the firmware's result, by Brevitas: arrays [n, ...] by name."""
        evaluated = partial(self.quantised_network.tensors, result=self.config.firmware.result)
        return {name: tensor.numpy() for name, tensor in in_chunks(evaluated, ports).items()}


def load_model(source: str | Path, config: Config | None = None) -> TrainedModel:
    """Load a trained model from a checkpoint.

    Parameters
    ----------
    source : str or Path
        Path of the file (``.pt``); or, as a string, the name of a model of the zoo.
    config : Config, optional
        Must describe the same network and quantisers; its firmware section replaces that of the file. A threshold that
        is a working point becomes the logit of the card beside the file.

    Raises
    ------
    ConfigError
        If the card lacks the working point.
    NetworkError
        If the file cannot be read, or its network or quantisers differ from ``config`` (the message names the field).
    """
    path = zoo.find(source, ".pt", NetworkError)
    checkpoint = load_checkpoint(path)
    if config is not None:
        for section in ("network", "quantisers"):
            wanted, found = (to_mapping(getattr(c, section)) for c in (config, checkpoint.config))
            require_equal({section: wanted}, {section: found}, str(path))
    firmware, card = (config or checkpoint.config).firmware, path.with_suffix(".json")
    if card.is_file():  # a run that has just ended has none
        firmware = firmware.with_logit(card)
    return TrainedModel(replace(checkpoint, config=replace(checkpoint.config, firmware=firmware)))


def export_qonnx(model: TrainedModel, path: str | Path | None = None) -> Program:
    """The QONNX graph of a trained model, also written to ``path`` if that is given.

    Raises
    ------
    ContractError
        If the network needs more than 53 bits anywhere, or the file cannot be written.
    """
    program = build_program(model.description, model.config.name.replace("-", "_"))
    if path is not None:
        save_program(program, path)
    return program

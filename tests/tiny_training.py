"""Tiny configuration and sample that train in a second: fixtures for the test folders that train."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from random_networks import random_ports

from nanopelican_hls.config import Config, TrainingConfig
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.topology.config import NetworkConfig, QuantiserConfig, QuantisersConfig, Spurions


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def config() -> Config:
    wide, narrow = QuantiserConfig(12), QuantiserConfig(8)
    return Config(
        name="tiny",
        network=NetworkConfig(4, 2, spurions=Spurions.JET),
        quantisers=QuantisersConfig(
            **dict.fromkeys(("momenta", "d", "mix", "relu", "weights"), narrow),
            **dict.fromkeys(("jet_momenta", "d_jet", "d_jj", "r", "s", "diagonal", "sums", "logit", "biases"), wide),
        ),
        training=TrainingConfig(seeds=(1, 2), batch_size=64, float_epochs=3, quantised_epochs=4),
    )


@pytest.fixture
def sample(config: Config) -> Sample:
    """Jets whose label is 1 if the mass of the whole jet is above the median."""
    ports = random_ports(config.network, 400)
    mass_squared = ports["jet_q_plus"] * ports["jet_q_minus"] - ports["jet_q_y"] ** 2 - ports["jet_q_z"] ** 2
    return Sample(ports, (mass_squared[:, 0] > np.median(mass_squared)).astype(float))

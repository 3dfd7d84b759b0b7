"""Tiny configurations and samples that train in a second, and killed trainings, for the folders that train."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from random_networks import random_ports

from nanopelican_hls.config import Config, TrainingConfig
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.network.checkpoint import Checkpoint, save_atomically
from nanopelican_hls.topology.config import NetworkConfig, QuantiserConfig, QuantisersConfig, Spurions
from nanopelican_hls.training import run_folder
from nanopelican_hls.training.run_folder import RunFolder
from nanopelican_hls.training.seed_training import SeedTraining


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


class Killed(BaseException):
    """Nothing in the package may catch it."""


def run(config, sample, path=None) -> Checkpoint:
    return SeedTraining(config, 1, sample, sample, folder=RunFolder(path) if path else None).run()


def run_and_kill(config, sample, path, saves: int):
    """Die right after the state was saved for the n-th time."""
    count = iter(range(1, 1000))

    def save(content, path):
        save_atomically(content, path)
        if next(count) == saves:
            raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run_folder, "save_atomically", save)
        with pytest.raises(Killed):
            run(config, sample, path)


def assert_same(one: Checkpoint, other: Checkpoint):
    assert one.metrics == other.metrics
    assert one.description.quantisers == other.description.quantisers
    for name, value in one.description.parameters.items():
        np.testing.assert_array_equal(value, other.description.parameters[name])
    for name, value in one.float_state.items():
        assert torch.equal(value, other.float_state[name])

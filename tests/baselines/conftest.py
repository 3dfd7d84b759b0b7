"""Jets of the shipped sample, and a few edge cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nanopelican_hls.jets import Jets, read_jets, sample_path


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def sample() -> Jets:
    return read_jets(sample_path())[:3000]


@pytest.fixture
def train(sample) -> Jets:
    return sample[:600]


@pytest.fixture
def valid(sample) -> Jets:
    return sample[600:1200]


@pytest.fixture
def odd_jets() -> Jets:
    """One jet without constituents, with one, with two, and with one along the beam, both classes."""
    momenta = np.zeros((4, 5, 4))
    momenta[1:, 0] = (50, 30, 0, 40)
    momenta[2, 1] = (5, 0, 4, 3)
    momenta[3, 0] = (50, 0, 0, 50)
    total = momenta.sum(axis=1)
    count = np.count_nonzero(momenta[..., 0], axis=1)
    return Jets(four_momenta=momenta, jet_four_momentum=total, multiplicity=count, labels=np.array([0, 1, 0, 1]))

"""The fold is an identity in float64, whatever the form of the network and the statistics of BatchNorm."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from network.reference import reference_logits
from random_networks import NETWORKS, network_id, random_ports

from nanopelican_hls.config import NetworkConfig, Spurions
from nanopelican_hls.contract.dataflow import dataflow, parameters
from nanopelican_hls.network.batch_norm import MaskedBatchNorm, moments
from nanopelican_hls.network.evaluation import exact_products
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold

PRECISION = 1e-12


def random_float_network(network: NetworkConfig, seed: int = 0) -> FloatNetwork:
    net = FloatNetwork(network, nbar=16, seed=seed).double().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        for norm in (m for m in net.modules() if isinstance(m, MaskedBatchNorm)):
            norm.running_mean.copy_(torch.randn(norm.running_mean.shape, generator=generator))
            norm.running_var.copy_(torch.rand(norm.running_var.shape, generator=generator) + 0.1)
    return net


def folded_logits(network: NetworkConfig, folded, ports) -> np.ndarray:
    tensors = ports | folded
    for step in dataflow(network, tables=len(folded["logit_bias"]) > 1):
        inputs = [tensors[name.removesuffix("!")] if name else None for name in step.inputs]
        value = step.operator.compute(*inputs, **step.attributes) if step.operator else np.maximum(inputs[0], 0)
        tensors[step.output] = value
    return tensors["logit"][:, 0]


def assert_identical(found: np.ndarray, expected: np.ndarray):
    assert np.abs(found - expected).max() <= PRECISION * np.abs(expected).max()


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch_norm"])
@pytest.mark.parametrize("network", [n for n in NETWORKS if n.level1 is None], ids=network_id)
class TestFold:
    @pytest.fixture
    def net(self, network, batch_norm) -> FloatNetwork:
        form = NetworkConfig(5, 3, network.symmetric, network.spurions, network.coordinates, batch_norm)
        return random_float_network(form)

    def test_is_an_identity(self, net):
        ports = random_ports(net.network, 100)
        expected = reference_logits(net, ports)
        assert_identical(folded_logits(net.network, fold(net), ports), expected)

    def test_float_network_is_the_reference(self, net):
        ports = random_ports(net.network, 100)
        with torch.no_grad():
            logits = net(exact_products(net.network, ports)).numpy()
        assert_identical(logits, reference_logits(net, ports))

    def test_gives_the_parameters_of_the_dataflow(self, net, batch_norm):
        expected = {name: shape for name, (_, shape) in parameters(net.network, tables=batch_norm).items()}
        assert {name: value.shape for name, value in fold(net).items()} == expected


def test_three_particles_by_hand():
    """Two constituents and their jet, with d_JJ = 16 and a diagonal with weights of its own.

    p1 = (q+, q-, y, z) = (4, 1, 2, 0), p2 = (4, 1, -2, 0), J = p1 + p2 = (8, 2, 0, 0), and so
    d_12 = (4 + 4) / 2 + 4 = 8, d_1J = d_2J = (8 + 8) / 2 = 8, d_JJ = (16 + 16) / 2 = 16,
    row sums 32 (J), 16, 16, total 64.
    z_ij = d_ij - (R_i + R_j) / 4 + 64 / 32 + 1: z_J1 = z_J2 = 8 - 12 + 3 = -1, z_12 = 8 - 8 + 3 = 3
    z_ii = d_ii + R_i / 16 - 64 / 32 + 1: z_JJ = 16 + 2 - 2 + 1 = 17, z_11 = z_22 = 1 - 2 + 1 = 0
    w = (2 * 3) / 2 - 17 / 4 + 1 / 8 = -1.125
    """
    net = FloatNetwork(NetworkConfig(2, 1, spurions=Spurions.JET), nbar=1, seed=0).double()
    net.d_unit = 1.0
    by_hand = {"c1": 1, "c2": 9 / 16, "c3": -1 / 4, "c5": 1 / 32, "c6": -1 / 16, "b": 1, "b_diag": 0}
    by_hand |= {"k0": 1 / 2, "k1": -3 / 4, "b0": 1 / 8}
    with torch.no_grad():
        for name, value in by_hand.items():
            getattr(net, name).fill_(value)
    constituents = {"q_plus": [4, 4], "q_minus": [1, 1], "q_y": [2, -2], "q_z": [0, 0]}
    jet = {"jet_q_plus": [8], "jet_q_minus": [2], "jet_q_y": [0], "jet_q_z": [0]}
    ports = {name: np.array([value], dtype=float) for name, value in (constituents | jet).items()}
    assert reference_logits(net, ports) == [-1.125]
    assert folded_logits(net.network, fold(net), ports) == [-1.125]
    folded = fold(net)
    assert folded["row_w_r"] == [-1 / 4]
    assert folded["row_w_s"] == [1 / 64]
    assert folded["row_bias"] == [[1 / 2]]
    assert folded["diagonal_w_r"] == [1 / 16]
    assert folded["diagonal_w_jj"] == [1]
    assert folded["k_diagonal"] == [-1 / 4]


def test_batch_norm_statistics_leave_out_padding():
    rng = np.random.default_rng(0)
    full = rng.normal(size=(6, 4, 4, 2))
    mask = np.arange(4) < rng.integers(1, 5, 6)[:, None]
    first, second = np.triu_indices(4, k=1)
    pair = np.concatenate([full[:, first, second], full[:, second, first]], axis=1)
    diagonal = full[:, np.arange(4), np.arange(4)]
    found = moments(*(torch.as_tensor(x) for x in (pair, diagonal, mask.astype(float))))
    valid = np.concatenate([full[b][np.ix_(m, m)].reshape(-1, 2) for b, m in enumerate(mask)])
    assert found.number == len(valid)
    np.testing.assert_allclose(found.total, valid.sum(0), rtol=1e-12)
    np.testing.assert_allclose(found.squares, (valid**2).sum(0), rtol=1e-12)


def test_batch_norm_normalises_in_training_and_tracks():
    x = torch.randn(50, 6, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3 + 5
    mask = torch.ones(50, 4, dtype=torch.float64)
    diagonal = torch.full((50, 4, 1), 5.0, dtype=torch.float64)
    norm = MaskedBatchNorm(1, momentum=1.0).double()
    scale, offset = norm(moments(x, diagonal, mask))
    after = moments(scale * x + offset, scale * diagonal + offset, mask)
    assert abs(after.total.item() / after.number) < 1e-12
    assert after.squares.item() / after.number == pytest.approx(1, rel=1e-4)
    norm.eval()
    tracked = norm(None)
    assert torch.allclose(tracked.scale, scale)
    assert torch.allclose(tracked.offset, offset)


def test_odd_number_of_channels():
    net = FloatNetwork(NetworkConfig(4, 3), nbar=64, seed=0)
    assert net.c5.tolist() == [-1, 1, -1]
    assert net.b.tolist() == [1, -1, 1]
    assert net.k0.tolist() == [-1, -1, -1]
    assert net.b0.tolist() == [0.5]


def test_symmetric_network_ties_c3_and_c4():
    assert sum(p.numel() for p in FloatNetwork(NetworkConfig(4, 2), nbar=64, seed=0).parameters()) == 19
    untied = FloatNetwork(NetworkConfig(4, 2, symmetric=False), nbar=64, seed=0)
    assert sum(p.numel() for p in untied.parameters()) == 21  # the paper's count at C = 2

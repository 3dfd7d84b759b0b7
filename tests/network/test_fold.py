"""The fold is an identity in float64 for every form of the network and any BatchNorm statistics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from network.reference import reference_logits
from random_networks import NETWORKS, network_id, random_ports

from nanopelican_hls.network.batch_norm import MaskedBatchNorm, Moments
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.network.inference import float_logits
from nanopelican_hls.network.square_products import square_products
from nanopelican_hls.network.straightforward import straightforward_logits
from nanopelican_hls.topology.config import Multiplicity, MultiplicityBins, NetworkConfig, RestFrom, Spurions
from nanopelican_hls.topology.dataflow import dataflow, has_tables, outputs, parameters

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
    for step in dataflow(network, tables=has_tables(network, folded)):
        inputs = [tensors[name.removesuffix("!")] if name else None for name in step.inputs]
        value = step.operator.compute(*inputs)
        tensors[step.output] = value
    logits = np.concatenate([tensors[name] for name in outputs(network)], axis=1)
    return logits if network.classes else logits[:, 0]


def assert_identical(found: np.ndarray, expected: np.ndarray):
    assert np.abs(found - expected).max() <= PRECISION * np.abs(expected).max()


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch_norm"])
@pytest.mark.parametrize("network", [n for n in NETWORKS if n.level1 is None], ids=network_id)
class TestFold:
    @pytest.fixture
    def net(self, network, batch_norm) -> FloatNetwork:
        if batch_norm and network.multiplicity is Multiplicity.JET:
            pytest.skip("its biases cannot be tables over two numbers")
        return random_float_network(replace(network, n_constituents=5, channels=3, batch_norm=batch_norm))

    def test_is_an_identity(self, net):
        ports = random_ports(net.network, 100)
        expected = reference_logits(net, ports)
        assert_identical(folded_logits(net.network, fold(net), ports), expected)

    def test_float_network_is_the_reference(self, net):
        ports = random_ports(net.network, 100)
        assert_identical(float_logits(net, ports), reference_logits(net, ports))

    def test_gives_the_parameters_of_the_dataflow(self, net):
        expected = {name: shape for name, (_, shape) in parameters(net.network, tables=net.tables).items()}
        assert {name: value.shape for name, value in fold(net).items()} == expected


def test_three_particles_by_hand():
    """Two constituents and their jet, with d_JJ = 16 and separate weights for the diagonal.

    p1 = (q+, q-, y, z) = (4, 1, 2, 0), p2 = (4, 1, -2, 0), J = p1 + p2 = (8, 2, 0, 0), so
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


def test_the_rest_by_hand():
    """The same two constituents with the jet at hand, and what it has beside them: a jet on the axis, 10 * 5 = 50.

    p1 = (q+, q-, y, z) = (4, 1, 2, 0), p2 = (4, 1, -2, 0), J = (10, 5, 0, 0), so the rest is (2, 3, 0, 0), and
    d_12 = 8, d_1R = d_2R = (4 * 3 + 1 * 2) / 2 = 7, d_RR = 2 * 3 = 6,
    row sums 7 + 7 + 6 = 20 (R), 15, 15, total 50 = J^2.
    z_ij = d_ij - (R_i + R_j) / 4 + 50 / 32 + 1: z_R1 = z_R2 = 7 - 35 / 4 + 41 / 16 = 13 / 16, z_12 = 8 - 7.5 + 41 / 16
    = 49 / 16, w = (4 * 13 / 16 + 2 * 49 / 16) / 2 + (4 * 13 / 16) / 4 = 75 / 16 + 13 / 16 = 5.5
    """
    network = NetworkConfig(2, 1, spurions=Spurions.REST, rest_from=RestFrom.JET, spurion_readout=True)
    net = FloatNetwork(network, nbar=1, seed=0).double()
    net.d_unit = 1.0
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            by_hand = {"c1": 1, "c3": -1 / 4, "c5": 1 / 32, "b": 1, "b_diag": -100, "k0": 1 / 2, "k0_spurion": 1 / 4}
            parameter.fill_(by_hand.get(name, 0))
    constituents = {"q_plus": [4, 4], "q_minus": [1, 1], "q_y": [2, -2], "q_z": [0, 0]}
    ports = {name: np.array([v], dtype=float) for name, v in constituents.items()}
    ports |= {"jet_q_plus": np.array([[10.0]]), "jet_q_minus": np.array([[5.0]])}
    ports |= {"jet_q_y": np.zeros((1, 1)), "jet_q_z": np.zeros((1, 1))}
    assert reference_logits(net, ports) == [5.5]
    assert folded_logits(network, fold(net), ports) == [5.5]
    assert fold(net)["k_spurion"] == [1 / 4]


def test_batch_norm_normalises_in_training_and_tracks():
    x = torch.randn(500, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3 + 5
    norm = MaskedBatchNorm(1, momentum=1.0).double()
    scale, offset = norm(Moments(x.sum(0), x.square().sum(0), torch.tensor(500)))
    after = scale * x + offset
    assert abs(after.mean().item()) < 1e-12
    assert after.square().mean().item() == pytest.approx(1, rel=1e-4)
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


def test_classes_share_all_but_the_readout():
    one, three = (FloatNetwork(NetworkConfig(4, 2, classes=c), nbar=64, seed=0) for c in ((), ("g", "W", "t")))
    shapes = {name: tuple(p.shape) for name, p in one.named_parameters()}
    assert {name: tuple(p.shape) for name, p in three.named_parameters()} == shapes | {
        "k0": (3, 2),
        "k1": (3, 2),
        "b0": (3,),
    }
    assert len(three.k0.unique()) == 6
    for name in ("c1", "c2", "c3", "c5", "c6", "b", "b_diag"):
        assert torch.equal(getattr(one, name), getattr(three, name)), name


@pytest.mark.parametrize("network", [n for n in NETWORKS if n.classes], ids=network_id)
def test_each_class_is_a_network_of_one_logit(network):
    net, ports = random_float_network(network), random_ports(network, 50)
    logits = float_logits(net, ports)
    assert logits.shape == (50, len(network.classes))
    for k in range(len(network.classes)):
        alone = FloatNetwork(replace(network, classes=()), nbar=net.nbar, seed=0).double()
        state = net.state_dict()
        state |= {name: state[name][k] for name in ("k0", "k1", "k0_spurion") if name in state}
        state |= {name: state[name][..., k : k + 1] for name in ("b0", "b0_table") if name in state}
        alone.load_state_dict(state)
        np.testing.assert_array_equal(float_logits(alone, ports), logits[:, k])


@pytest.mark.parametrize("symmetric", [True, False], ids=["symmetric", "untied"])
@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch_norm"])
class TestMultiplicityScaling:
    """nPELICAN_N: aggregators scale with a learned power of the multiplicity, from tables of weights in hardware."""

    @pytest.fixture
    def net(self, symmetric, batch_norm) -> FloatNetwork:
        form = NetworkConfig(5, 3, symmetric, batch_norm=batch_norm, multiplicity_scaling=True)
        return random_float_network(form)

    def test_float_network_is_the_reference(self, net):
        ports = random_ports(net.network, 100)
        assert_identical(float_logits(net, ports), reference_logits(net, ports))

    def test_exponents_of_zero_change_nothing(self, net, symmetric, batch_norm):
        with torch.no_grad():
            net.alpha.zero_()
        plain = FloatNetwork(NetworkConfig(5, 3, symmetric, batch_norm=batch_norm), nbar=net.nbar, seed=0).double()
        plain.load_state_dict({name: value for name, value in net.state_dict().items() if name != "alpha"})
        ports = random_ports(net.network, 100)
        assert_identical(float_logits(net, ports), float_logits(plain.eval(), ports))

    def test_the_paper_counts_seven_exponents(self, net, symmetric):
        assert net.alpha.numel() == (6 if symmetric else 7)

    def test_the_fold_is_an_identity(self, net):
        ports = random_ports(net.network, 100)
        assert_identical(folded_logits(net.network, fold(net), ports), reference_logits(net, ports))

    def test_only_batch_norm_makes_tables_of_the_biases(self, net, batch_norm):
        folded = fold(net)
        assert {len(folded[name]) for name in ("row_bias", "diagonal_bias", "logit_bias")} == {6 if batch_norm else 1}

    def test_the_tables_are_powers_of_the_multiplicity(self, net, symmetric):
        folded, n = fold(net), np.array([1, 1, 2, 3, 4, 5])  # the row of no particle makes no difference
        exponents = {"row_w_r": 1, "row_w_s": 2} if symmetric else {"row_w_r": 2, "row_w_s": 3, "column_w_r": 1}
        for name, place in exponents.items():
            powers = (n / 5) ** net.alpha[place].item()
            assert_identical(folded[name], folded[name][-1] * powers[:, None])
        assert folded["w_d"].shape == (3,)


def test_the_multiplicity_of_a_bin_is_its_centre():
    bins = MultiplicityBins(low=0, width=4, bins=4)
    network = NetworkConfig(5, 2, multiplicity=Multiplicity.JET, multiplicity_bins=bins, multiplicity_scaling=True)
    net = random_float_network(network)
    with torch.no_grad():
        net.alpha.fill_(1)
    folded = fold(net)
    for name in ("row_w_r", "row_w_s", "diagonal_w_r", "diagonal_w_s", "k_pair", "k_diagonal"):
        assert_identical(folded[name] * 1.5, folded[name][0] * np.array([[1.5], [5.5], [9.5], [13.5]]))
    assert {len(folded[name]) for name in ("row_bias", "diagonal_bias")} == {1}
    assert folded["logit_bias"].shape == (4, 1)


@pytest.mark.parametrize("network", [n for n in NETWORKS if n.level1 is None], ids=network_id)
def test_training_is_that_of_the_reference(network):
    """Loss and gradients with batch statistics, in float64."""
    form = NetworkConfig(
        *(5, 3, network.symmetric, network.spurions, network.coordinates, True, True), classes=network.classes
    )
    net = random_float_network(form).train()
    ports = random_ports(form, 60)
    logits = (net(square_products(form, ports)), straightforward_logits(net, ports))
    names = [name for name, _ in net.named_parameters()]
    found, expected = (torch.autograd.grad(x.sigmoid().mean(), list(net.parameters())) for x in logits)
    torch.testing.assert_close(logits[0], logits[1], rtol=1e-9, atol=1e-9)
    for name, one, other in zip(names, found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-10, msg=name)


def test_dropout_is_for_training_only():
    form = NetworkConfig(5, 2, spurions=Spurions.JET)
    net = FloatNetwork(form, nbar=16, seed=0, dropout=0.5)
    products = {name: x.float() for name, x in square_products(form, random_ports(form, 20)).items()}
    with torch.no_grad():
        plain = net.eval()(products)
        assert torch.equal(net(products), plain)
        assert not torch.equal(net.train()(products), plain)

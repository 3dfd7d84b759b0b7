"""The quantised network in float64 is the contract: every tensor equals numpy and `Quantiser` as integers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from random_networks import NETWORKS, inner_tensors, network_id, numpy_tensors, random_description, random_ports
from zoo_models import of_the_zoo

from nanopelican_hls.config import Config, load_config
from nanopelican_hls.errors import NetworkError
from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.dataflow import activations, once_a_jet, outputs, ports
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.training.scales import calibrated


def evaluate(description: NetworkDescription, arrays) -> dict[str, np.ndarray]:
    net = QuantisedNetwork.from_description(description).double().eval()
    with torch.no_grad():
        return {name: tensor.numpy() for name, tensor in net.tensors(arrays).items()}


def assert_exact(description: NetworkDescription, arrays):
    """Every tensor is equal, and every quantised one is on its grid."""
    found, expected = evaluate(description, arrays), numpy_tensors(description, arrays)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].dtype == np.float64
        np.testing.assert_array_equal(found[name], value, err_msg=name)
        if name in description.quantisers:
            quantiser = description.quantisers[name]
            integers = np.ldexp(found[name], -quantiser.exponent)
            np.testing.assert_array_equal(integers, quantiser.integers(found[name]), err_msg=name)


def on_ties(description: NetworkDescription, n: int = 100) -> dict[str, np.ndarray]:
    """Port values half-way between two grid points, and far out of range."""
    rng = np.random.default_rng(1)
    values = {}
    for name in ports(description.network):
        q = description.quantisers[name]
        columns = 1 if name in once_a_jet(description.network) else description.network.n_constituents
        integers = rng.integers(2 * q.low - 4, 2 * q.high + 5, (n, columns))
        values[name] = (integers * rng.choice([1, 1, 100], integers.shape) / 2) * q.scale
    return values


@pytest.mark.parametrize("tables", [False, True], ids=["constant", "tables"])
@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
class TestExact:
    def test_random_jets(self, network, tables):
        assert_exact(random_description(network, tables), random_ports(network, 300, seed=2))

    @pytest.mark.parametrize("rounding", Rounding)
    def test_ties_and_saturation(self, network, tables, rounding):
        description = random_description(network, tables, seed=3, bits=6, roundings=[rounding])
        assert_exact(description, on_ties(description))

    def test_without_inner_quantisers(self, network, tables):
        description = random_description(network, tables, bits=5, without=inner_tensors(network))
        assert_exact(description, random_ports(network, 50))

    def test_round_trip(self, network, tables):
        description = random_description(network, tables)
        found = QuantisedNetwork.from_description(description).describe()
        assert found.network == description.network
        assert found.quantisers == description.quantisers
        for name, value in description.parameters.items():
            np.testing.assert_array_equal(found.parameters[name], value)


@pytest.mark.parametrize("name", of_the_zoo())
def test_exact_on_real_jets(name):
    config = load_config(name)
    arrays = port_values(read_jets(sample_path(), events=300), config.network)
    net = FloatNetwork(config.network, nbar=config.training.nbar, seed=0)
    assert_exact(calibrated(config, fold(net), arrays), arrays)


@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
def test_permutation_invariant_as_integers(network):
    description = random_description(network, tables=True)
    arrays = random_ports(network, 200)
    order = np.random.default_rng(0).permutation(network.n_constituents)
    permuted = {name: v if name in once_a_jet(network) else v[:, order] for name, v in arrays.items()}
    one, other = evaluate(description, arrays), evaluate(description, permuted)
    logits = outputs(network)
    for name in ("s_exact", "pair_sum_exact", "diagonal_sum_exact", *(f"{logit}_exact" for logit in logits), *logits):
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_three_particles_by_hand():
    """The jet of test_fold, with its own weight for d_JJ: z_JJ = 16 / 8 + 2 - 2 + 1 = 3, w = 6 / 2 - 3 / 4 + 1 / 8."""
    network = NetworkConfig(2, 1, spurions=Spurions.JET)
    weights = {"w_d": 1, "row_w_r": -1 / 4, "row_w_s": 1 / 64, "diagonal_w_r": 1 / 16, "diagonal_w_s": -1 / 32}
    weights |= {"diagonal_w_jj": 1 / 8, "k_pair": 1 / 2, "k_diagonal": -1 / 4}
    biases = {"row_bias": 1 / 2, "diagonal_bias": 1, "logit_bias": 1 / 8}
    values = {name: np.array([w], dtype=float) for name, w in weights.items()}
    values |= {name: np.array([[b]], dtype=float) for name, b in biases.items()}
    fine = Quantiser(16, True, -6)
    names = [*ports(network), *values, *activations(network)]
    description = NetworkDescription(network, dict.fromkeys(names, fine), values)
    constituents = {"q_plus": [4, 4], "q_minus": [1, 1], "q_y": [2, -2], "q_z": [0, 0]}
    jet = {"jet_q_plus": [8], "jet_q_minus": [2], "jet_q_y": [0], "jet_q_z": [0]}
    tensors = evaluate(description, {name: np.array([v], dtype=float) for name, v in (constituents | jet).items()})
    assert tensors["d"].tolist() == [[8]]
    assert tensors["d_jet"].tolist() == [[8, 8]]
    assert tensors["d_jj"].tolist() == [[16]]
    assert tensors["r"].tolist() == [[32, 16, 16]]
    assert tensors["s"].tolist() == [[64]]
    assert tensors["row"][0, :, 0].tolist() == [-6.5, -2.5, -2.5]
    assert tensors["z"][0, :, 0].tolist() == [-1, -1, 3]
    assert tensors["g"][0, :, 0].tolist() == [3, 0, 0]
    assert tensors["pair_sum"].tolist() == [[6]]
    assert tensors["logit"].tolist() == [[2.375]]


def test_forward_is_the_logit():
    network = NETWORKS[0]
    net, arrays = QuantisedNetwork.from_description(random_description(network)), random_ports(network, 5)
    assert torch.equal(net(arrays), net.tensors(arrays)["logit"][:, 0])


@pytest.mark.parametrize(("change", "message"), [("E", "E: missing port"), ("mass", "mass: unknown port")])
def test_ports_are_checked(change, message):
    network = NETWORKS[0]
    arrays = random_ports(network, 5)
    if change in arrays:
        del arrays[change]
    else:
        arrays[change] = np.zeros((5, 1))
    with pytest.raises(NetworkError, match=message):
        QuantisedNetwork.from_description(random_description(network))(arrays)


class TestCalibration:
    def test_a_beam_is_on_the_grid(self, config: Config):
        quantisers = replace(config.quantisers, jet_momenta=None, d_jet=None, d_jj=None)
        network = next(n for n in NETWORKS if n.beams)
        config = Config("beams", network, quantisers)
        huge = {name: 1e6 * value for name, value in random_ports(network, 50).items()}
        found = calibrated(config, fold(FloatNetwork(network, nbar=64, seed=0)), huge).quantisers
        assert all(found[name].exponent == 0 for name in ports(network))

    def test_mix_is_on_the_grid_of_the_pairs(self, config):
        net = FloatNetwork(config.network, nbar=64, seed=0)
        found = calibrated(config, fold(net), random_ports(config.network, 50)).quantisers
        assert found["row"].exponent == found["pair"].exponent

    def test_a_null_quantiser_is_left_out(self, config):
        config = replace(config, quantisers=replace(config.quantisers, d=None, mix=None))
        net = FloatNetwork(config.network, nbar=64, seed=0)
        found = calibrated(config, fold(net), random_ports(config.network, 50)).quantisers
        assert set(activations(config.network)) - set(found) == {"d", "row"}

    def test_covers_the_parameters(self, config):
        folded = fold(FloatNetwork(config.network, nbar=64, seed=0))
        found = calibrated(config, folded, random_ports(config.network, 50)).quantisers
        for name, value in folded.items():
            assert np.abs(found[name](value) - value).max() <= found[name].scale / 2

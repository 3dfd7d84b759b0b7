"""The canonical form changes the parameters, but not the network's function."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from network.test_fold import assert_identical, folded_logits, random_float_network, reference_logits
from random_networks import NETWORKS, network_id, numpy_tensors, random_description, random_ports

from nanopelican_hls.config import Config
from nanopelican_hls.network.canonical import (
    MIXING,
    READOUT,
    canonical,
    canonical_description,
    canonical_folded,
    multiplier_free,
)
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.topology.config import Multiplicity, NetworkConfig, Spurions
from nanopelican_hls.topology.dataflow import outputs, own_weight
from nanopelican_hls.training.scales import calibrated

COMPONENT_NETWORKS = [n for n in NETWORKS if n.level1 is None]


def set_channel(net: FloatNetwork, channel: int, **values: float):
    with torch.no_grad():
        for name, value in values.items():
            getattr(net, name)[channel] = value


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch_norm"])
@pytest.mark.parametrize("network", COMPONENT_NETWORKS, ids=network_id)
class TestCanonical:
    @pytest.fixture
    def net(self, network, batch_norm) -> FloatNetwork:
        if batch_norm and network.multiplicity is Multiplicity.JET:
            pytest.skip("its biases cannot be tables over two numbers")
        return random_float_network(replace(network, channels=5, batch_norm=batch_norm), seed=3)

    def test_gives_the_same_logits(self, net):
        ports = random_ports(net.network, 60)
        assert_identical(reference_logits(canonical(net), ports), reference_logits(net, ports))

    def test_c1_is_one_in_magnitude_and_channels_are_in_order(self, net):
        found = canonical(net)
        assert set(found.c1.abs().tolist()) == {1.0}
        order = list(zip(found.c1.tolist(), found.of_readout("k0", 0).tolist(), strict=True))
        assert order == sorted(order, reverse=True)
        assert net.network.multiplicity_scaling or (found.c3 >= found.c4).all()

    def test_is_idempotent(self, net):
        once = canonical(net)
        twice = canonical(once)
        for name, value in once.state_dict().items():
            torch.testing.assert_close(twice.state_dict()[name], value, rtol=0, atol=0)

    def test_does_not_depend_on_order_scale_and_transposition_of_the_channels(self, net):
        other = canonical(net)
        with torch.no_grad():
            factors = torch.tensor([0.25, 8.0, 3.0, 0.7, 1.0], dtype=torch.float64)
            order = torch.tensor([3, 0, 4, 1, 2])
            tied = {"c4"} if net.network.symmetric else set()
            readout = {*READOUT, *(["k0_spurion"] if net.network.spurion_readout else [])}
            for name in sorted({*MIXING, *readout} - tied):
                p = getattr(other, "untied_c4" if name == "c4" else name)
                p.copy_((p / factors if name in readout else p * factors)[..., order])
            for name in ("b_table", "b_diag_table"):
                if isinstance(other.table(name), torch.Tensor):
                    table = other.get_parameter(name)
                    table.copy_((table * factors)[:, order])
            if not (tied or net.network.multiplicity_scaling):
                other.c3[1], other.untied_c4[1] = other.untied_c4[1].clone(), other.c3[1].clone()
            if other.hidden_norm is not None:
                other.hidden_norm.running_mean.zero_()
                other.hidden_norm.bias.copy_((other.hidden_norm.bias * factors)[order])
        expected = canonical(net).state_dict()
        for name, value in canonical(other).state_dict().items():
            torch.testing.assert_close(value, expected[name], rtol=1e-14, atol=0)

    def test_leaves_the_network_as_it_was(self, net):
        before = {name: value.clone() for name, value in net.state_dict().items()}
        canonical(net)
        for name, value in net.state_dict().items():
            torch.testing.assert_close(value, before[name], rtol=0, atol=0)

    @pytest.mark.parametrize("common", [False, True])
    def test_folded_parameters_have_powers_of_two_as_w_d(self, net, common):
        folded = fold(net)
        found = canonical_folded(folded, common=common)
        mantissa, _ = np.frexp(np.abs(found["w_d"]))
        assert set(mantissa) == {0.5}
        assert (np.sign(found["w_d"]) == np.sign(folded["w_d"])).all()
        if common:
            assert len(set(np.abs(found["w_d"]))) == 1
        else:
            assert (np.abs(np.log2(found["w_d"] / folded["w_d"])) <= 0.5).all()
        if net.network.spurion:
            np.testing.assert_array_equal(found[own_weight(net.network.spurion)], found["w_d"])
        ports = random_ports(net.network, 200)
        assert_identical(folded_logits(net.network, found, ports), folded_logits(net.network, folded, ports))


@pytest.mark.parametrize("symmetric", [False, True], ids=["untied", "symmetric"])
@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch_norm"])
def test_learned_exponents_stay(batch_norm, symmetric):
    network = NetworkConfig(5, 4, symmetric=symmetric, batch_norm=batch_norm, multiplicity_scaling=True)
    net = random_float_network(network)
    found = canonical(net)
    assert set(found.c1.abs().tolist()) == {1.0}
    torch.testing.assert_close(found.alpha, net.alpha, rtol=0, atol=0)
    ports = random_ports(network, 100)
    assert_identical(reference_logits(found, ports), reference_logits(net, ports))


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch_norm"])
def test_channels_without_c1_are_normalised_by_the_next_coefficient(batch_norm):
    net = random_float_network(NetworkConfig(4, 4, symmetric=False, batch_norm=batch_norm))
    set_channel(net, 0, c1=0.0, c2=-0.5, k0=3.0)
    set_channel(net, 1, c1=0.0, c2=0.0, c3=0.0, untied_c4=0.0, c5=0.0, c6=0.0, b=4.0, b_diag=-2.0)
    set_channel(net, 2, c1=0.0, c2=0.0, c3=0.0, untied_c4=0.0, c5=0.0, c6=0.0, b=0.0, b_diag=0.0)
    found = canonical(net)
    by_channel = np.stack([getattr(found, name).detach().numpy() for name in MIXING], axis=1)
    first = [next((value for value in channel if value), 0.0) for channel in by_channel]
    assert sorted(np.abs(first)) == [0, 1, 1, 1]
    assert any(c[0] == 0 and abs(c[1]) == 1 for c in by_channel)
    assert any(c[6] == 1 and c[7] == -0.5 and not c[:6].any() for c in by_channel)
    ports = random_ports(net.network, 100)
    assert_identical(reference_logits(found, ports), reference_logits(net, ports))


def test_a_batch_norm_without_scale_stays_a_constant():
    net = random_float_network(NetworkConfig(4, 3, batch_norm=True))
    with torch.no_grad():
        net.hidden_norm.weight[1] = 0.0
    ports = random_ports(net.network, 100)
    found = canonical(net)
    assert sorted(found.hidden_norm.weight.tolist()) == [0, 1, 1]
    assert_identical(reference_logits(found, ports), reference_logits(net, ports))


@pytest.mark.parametrize("common", [False, True])
def test_a_channel_without_w_d_stays(common):
    folded = fold(random_float_network(NetworkConfig(4, 3)))
    folded["w_d"][1] = 0.0
    found = canonical_folded(folded, common=common)
    assert found["w_d"][1] == 0
    assert found["row_w_r"][1] == folded["row_w_r"][1]
    assert (np.frexp(np.abs(found["w_d"][[0, 2]]))[0] == 0.5).all()
    nothing = folded | {"w_d": np.zeros(3)}
    for name, value in canonical_folded(nothing, common=common).items():
        np.testing.assert_array_equal(value, nothing[name])


@pytest.mark.parametrize("tables", [False, True], ids=["constant", "tables"])
@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
class TestCanonicalDescription:
    @pytest.mark.parametrize("scale", [2.0**-7, 1.0, 2.0**5])
    def test_moves_a_power_of_two_and_no_integer(self, network, tables, scale):
        description = random_description(network, tables)
        quantiser = description.quantisers["w_d"]
        small = replace(quantiser, exponent=quantiser.exponent + int(np.log2(scale)))
        description = replace(
            description,
            quantisers=description.quantisers | {"w_d": small},
            parameters=description.parameters | {"w_d": description.parameters["w_d"] * scale},
        )
        found = canonical_description(description)
        largest = np.abs(found.quantisers["w_d"](found.parameters["w_d"])).max()
        assert 0.5**0.5 <= largest <= 2**0.5
        arrays = random_ports(network, 100)
        before, after = numpy_tensors(description, arrays), numpy_tensors(found, arrays)
        assert set(before) == set(after)
        for name in outputs(network):
            np.testing.assert_array_equal(after[name], before[name])
        for name, value in before.items():
            if name in description.quantisers:
                np.testing.assert_array_equal(
                    np.ldexp(after[name], -found.quantisers[name].exponent),
                    np.ldexp(value, -description.quantisers[name].exponent),
                    err_msg=name,
                )

    def test_is_idempotent(self, network, tables):
        once = canonical_description(random_description(network, tables))
        twice = canonical_description(once)
        assert twice.quantisers == once.quantisers
        for name, value in once.parameters.items():
            np.testing.assert_array_equal(twice.parameters[name], value)


def test_without_w_d_a_description_stays():
    description = random_description(NetworkConfig(4, 2))
    description = replace(description, parameters=description.parameters | {"w_d": np.zeros(2)})
    assert canonical_description(description) is description


@pytest.mark.parametrize("common", [False, True])
def test_a_canonical_fold_needs_no_multiplier_at_pair_level(config: Config, common):
    """For any weight width: a power of two is on every grid that covers it."""
    net = random_float_network(replace(config.network, channels=4, spurions=Spurions.JET))
    config = replace(config, network=net.network)
    ports = random_ports(net.network, 200)
    assert not multiplier_free(calibrated(config, fold(net), ports))
    assert multiplier_free(calibrated(config, canonical_folded(fold(net), common=common), ports))

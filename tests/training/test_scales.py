"""Scales end up where the loss is low, and respect their constraints."""

from __future__ import annotations

import copy
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.evaluation.figures import quantised_figures
from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, QuantiserConfig, Spurions
from nanopelican_hls.topology.export import build_program
from nanopelican_hls.topology.tensor_settings import tensor_settings
from nanopelican_hls.training import scales
from nanopelican_hls.training.scales import (
    FINEST_PORT_EXPONENT,
    calibrated,
    pinned,
    place_scales,
    port_exponent,
    refine_scales,
)
from nanopelican_hls.training.seed_training import SeedTraining


@pytest.fixture
def net(config, sample) -> QuantisedNetwork:
    float_net = FloatNetwork(config.network, nbar=4, seed=0)
    return QuantisedNetwork(calibrated(config, fold(float_net), sample.values))


def exponents(net: QuantisedNetwork) -> dict[str, int]:
    return {name: net.quantiser(name).exponent for name in net.quantisers}


def move(net: QuantisedNetwork, names, step: int):
    for name in names:
        net.quantiser(name).exponent += step


def test_placing_mends_bad_scales(net, sample):
    inner = [name for name in net.quantisers if name not in sample.values]
    move(net, inner, 3)
    before = quantised_figures(net, sample).loss
    place_scales(net, sample)
    assert quantised_figures(net, sample).loss < before


@pytest.mark.parametrize("without", [{}, {"relu": None}, {"mix": None}], ids=["all", "no relu", "no mix"])
def test_placing_leaves_every_quantiser_on(config, sample, without):
    config = replace(config, quantisers=replace(config.quantisers, **without))
    float_net = FloatNetwork(config.network, nbar=4, seed=0)
    net = QuantisedNetwork(calibrated(config, fold(float_net), sample.values))
    place_scales(net, sample)
    assert all(net.quantiser(name).enabled for name in net.quantisers)


def test_placing_keeps_grids_together_and_ports_coarse_enough(net, sample):
    place_scales(net, sample)
    found = exponents(net)
    assert found["row"] == found["pair"]
    assert min(found[name] for name in sample.values) >= FINEST_PORT_EXPONENT


def test_refining_lowers_the_loss(net, sample):
    move(net, ["w_d", "logit"], 4)
    before = quantised_figures(net, sample).loss
    refine_scales(net, sample)
    assert quantised_figures(net, sample).loss < before


def test_refining_leaves_the_products_alone(net, sample):
    before = copy.deepcopy(net)
    refine_scales(net, sample)
    expected = before.products(sample.values)
    for name, tensor in net.products(sample.values).items():
        assert (tensor == expected[name]).all()
    assert exponents(net) != exponents(before)


@pytest.mark.parametrize(("lowest", "reached"), [(0, 0), (3, 3), (-3, -3), (6, 4), (-6, -4)])
def test_a_scale_moves_either_way_to_the_lowest_loss(net, lowest, reached):
    """By one step at a time, and at most four."""
    start = net.quantiser("logit").exponent
    scales._descend(net, ["logit"], lambda: abs(net.quantiser("logit").exponent - start - lowest))
    assert net.quantiser("logit").exponent - start == reached


def test_grids_of_ports():
    """No finer than 1/64 GeV; with beams, 1 GeV is a step."""
    beams = NetworkConfig(4, 2, spurions=Spurions.BEAMS, coordinates=Coordinates.CARTESIAN)
    for network, expected in ((NetworkConfig(4, 2), [-6, -6, 0, 3]), (beams, [-6, -6, 0, 0])):
        assert [port_exponent(network, exponent) for exponent in (-9, -6, 0, 3)] == expected


def test_the_largest_weight_is_covered(config, sample):
    """Of values on jets a few saturate; of weights none does."""
    folded = fold(FloatNetwork(config.network, nbar=4, seed=0))
    folded["w_d"] = np.array([1.0, 127.05])
    quantiser = calibrated(config, folded, sample.values).quantisers["w_d"]
    assert (quantiser.bits, quantiser.high * quantiser.scale) == (8, 254)


def test_a_disabled_quantiser_passes_everything(net):
    quantiser = net.quantiser("d")
    quantiser.enabled = False
    x = net.weights["w_d"]
    assert quantiser(x) is x


class TestClip:
    """A clip fixes a scale, and no calibration moves it."""

    CLIPS = {
        "q_plus": QuantiserConfig(8, clip=100.0),
        "d": QuantiserConfig(8, signed=True, clip=3000.0),
        "row": QuantiserConfig(9, clip=40.0),
        "w_d": QuantiserConfig(8, Rounding.FLOOR, clip=2.0),
    }

    @pytest.fixture
    def clipped(self, config):
        return replace(config, quantisers=replace(config.quantisers, tensors=self.CLIPS))

    def test_scales_hold_it_and_stay(self, clipped, sample):
        net = QuantisedNetwork(calibrated(clipped, fold(FloatNetwork(clipped.network, nbar=4, seed=0)), sample.values))
        expected = {name: c.holding(c.clip).exponent for name, c in tensor_settings_of(clipped, self.CLIPS).items()}
        for change in (lambda: None, lambda: place_scales(net, sample, pinned(clipped))):
            change()
            assert {name: exponents(net)[name] for name in self.CLIPS} == expected
        refine_scales(net, sample, pinned(clipped))
        assert {name: exponents(net)[name] for name in self.CLIPS} == expected
        assert all(net.quantiser(name).enabled for name in net.quantisers)

    def test_a_fixed_leader_takes_its_followers_along(self, config, sample):
        tensors = {"pair": QuantiserConfig(8, clip=5.0)}
        config = replace(config, quantisers=replace(config.quantisers, tensors=tensors))
        net = QuantisedNetwork(calibrated(config, fold(FloatNetwork(config.network, nbar=4, seed=0)), sample.values))
        place_scales(net, sample, pinned(config))
        assert exponents(net)["row"] == exponents(net)["pair"] == -5

    @pytest.mark.parametrize("symmetric", [True, False])
    def test_signs_clips_and_rounding_reach_the_contract(self, clipped, sample, symmetric):
        """Every tensor of the executed QONNX graph equals that of the network in training, as integers."""
        config = replace(clipped, network=replace(clipped.network, symmetric=symmetric))
        net = QuantisedNetwork(calibrated(config, fold(FloatNetwork(config.network, nbar=4, seed=0)), sample.values))
        place_scales(net, sample, pinned(config))
        program = build_program(net.describe())
        for name, own in tensor_settings_of(config, self.CLIPS).items():
            quantiser = (program.quantisers | program.parameter_quantisers)[name]
            assert quantiser == own.holding(own.clip)
        found = execute(program, sample.values)
        with torch.no_grad():
            for name, expected in net.eval().tensors(sample.values).items():
                if name in found:
                    unit = 2.0 ** program.exponent(name)
                    np.testing.assert_array_equal(found[name] / unit, expected.numpy() / unit)


def tensor_settings_of(config, names):
    found = tensor_settings(config.network, config.quantisers)
    return {name: found[name] for name in names}


def test_training_sees_truncation(config, sample):
    """A training step with FLOOR follows that of the floored values, in float32 and also at pair level."""
    floored = {
        field.name: replace(chosen, rounding=Rounding.FLOOR)
        for field in fields(config.quantisers)
        if (chosen := getattr(config.quantisers, field.name)) is not None
    }
    truncating = replace(config, quantisers=replace(config.quantisers, **floored))
    folded = fold(FloatNetwork(config.network, nbar=4, seed=0))
    rounding, net = (QuantisedNetwork(calibrated(c, folded, sample.values)) for c in (config, truncating))
    assert {q.rounding for q in net.describe().quantisers.values()} == {Rounding.FLOOR}
    tensors = net.tensors(sample.values)
    for name, quantiser in net.describe().quantisers.items():
        if f"{name}_exact" in tensors:
            exact = tensors[f"{name}_exact"].detach().numpy()
            expected = np.clip(np.floor(exact / quantiser.scale), quantiser.low, quantiser.high) * quantiser.scale
            np.testing.assert_array_equal(tensors[name].detach().numpy(), expected)
    np.testing.assert_array_equal(net(sample.values).detach(), tensors["logit"][:, 0].detach())
    assert (net(sample.values) != rounding(sample.values)).any()
    trained = SeedTraining(truncating, 1, sample, sample).run()
    assert {q.rounding for q in trained.description.quantisers.values()} == {Rounding.FLOOR}
    again = QuantisedNetwork.from_description(trained.description)
    assert quantised_figures(again, sample).as_dict() == trained.metrics["valid"]["quantised"]

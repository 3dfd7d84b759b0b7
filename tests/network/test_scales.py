"""Scales stand where the loss is low, and keep to what a scale may be."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from nanopelican_hls.network.calibration import FINEST_PORT_EXPONENT, calibrated, place_scales, refine_scales
from nanopelican_hls.network.evaluation import quantised_figures
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.network.quantised_network import QuantisedNetwork


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


def test_a_disabled_quantiser_passes_everything(net):
    quantiser = net.quantiser("d")
    quantiser.enabled = False
    x = net.weights["w_d"]
    assert quantiser(x) is x

"""The expansion of the loss against the loss itself."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from random_networks import NETWORKS, network_id, random_description, random_ports
from torch.nn.functional import binary_cross_entropy_with_logits

from nanopelican_hls.errors import NetworkError
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.precision.loss import MeasuredLoss
from nanopelican_hls.precision.sensitivity import LossExpansion
from nanopelican_hls.topology.config import NetworkConfig


def scaled(description, sample):
    """Readout weights that make logits of order 1, where the loss is curved."""
    with torch.no_grad():
        spread = QuantisedNetwork.from_description(description)(sample.values).std().item()
    down = round(math.log2(spread))
    names = ("k_pair", "k_diagonal", "logit_bias")
    small = {name: description.parameters[name] / 2**down for name in names}
    quantisers = {
        name: replace(description.quantisers[name], exponent=description.quantisers[name].exponent - down)
        for name in (*names, "logit")
    }
    return replace(
        description,
        parameters={**description.parameters, **small},
        quantisers={**description.quantisers, **quantisers},
    )


@pytest.fixture
def description(config, sample):
    """Quantisers so fine that the network is smooth except for its ReLUs."""
    return scaled(random_description(config.network, seed=3, bits=18), sample)


def test_its_own_quantiser_costs_nothing(description, sample):
    expansion = LossExpansion(description, sample)
    assert all(expansion.increase(name, q) == 0 for name, q in description.quantisers.items())
    assert expansion.total(description.quantisers) == 0


@pytest.mark.parametrize("tables", [False, True])
def test_predicts_what_coarser_quantisers_do(config, sample, tables):
    """Eight bits fewer out of 18 or 20: small changes, which the second order predicts to a few per cent."""
    description = scaled(random_description(config.network, tables, seed=3, bits=18), sample)
    expansion, loss = LossExpansion(description, sample), MeasuredLoss(description, sample)
    now, seen = loss(), 0
    for name, quantiser in description.quantisers.items():
        if name == "logit":
            continue
        coarser = replace(quantiser, bits=quantiser.bits - 8, exponent=quantiser.exponent + 8)
        measured = loss({name: coarser}) - now
        assert expansion.increase(name, coarser) == pytest.approx(measured, rel=0.1, abs=2e-6), name
        seen += abs(measured) > 1e-5
    assert seen >= 5


@pytest.mark.parametrize("names", [("k_pair", "k_diagonal"), ("pair_sum", "diagonal_sum")])
def test_the_curvature_counts(description, sample, names):
    """After the last ReLU only the third order is missing: far less than the error of the first order."""
    expansion, loss = LossExpansion(description, sample), MeasuredLoss(description, sample)
    first_order = copy.copy(expansion)
    first_order._curvature = torch.zeros_like(expansion._curvature)
    first_order._hessian = {name: 0 * hessian for name, hessian in expansion._hessian.items()}
    now = loss()
    for name in names:
        q = description.quantisers[name]
        coarser = replace(q, bits=q.bits - 14, exponent=q.exponent + 14, rounding=Rounding.FLOOR)
        measured = loss({name: coarser}) - now
        left_open = abs(first_order.increase(name, coarser) - measured)
        assert left_open > 1e-4
        assert abs(expansion.increase(name, coarser) - measured) < 0.2 * left_open


@pytest.mark.parametrize("network", [n for n in NETWORKS if not n.classes], ids=network_id)
def test_every_form_of_one_logit_has_an_expansion(network):
    description = random_description(network, seed=1)
    values = random_ports(network, 60)
    sample = Sample(values, (values[next(iter(values))][:, 0] % 2 > 1).astype(float))
    expansion = LossExpansion(description, sample)
    assert expansion.total(description.quantisers) == 0


def test_several_classes_have_none(sample):
    description = random_description(NetworkConfig(4, 2, classes=("g", "W", "t")))
    with pytest.raises(NetworkError, match=r"network\.classes: the loss of several classes \(g, W, t\) cannot be"):
        LossExpansion(description, sample)


def test_the_measured_loss_of_several_classes():
    network = NetworkConfig(4, 2, classes=("g", "W", "t"))
    description, values = random_description(network), random_ports(network, 60)
    sample = Sample(values, np.arange(60) % 3.0)
    logits = QuantisedNetwork.from_description(description)(values)
    expected = torch.nn.functional.cross_entropy(logits, torch.arange(60) % 3).item()
    assert MeasuredLoss(description, sample)() == expected


def test_the_measured_loss_is_that_of_the_firmware(config, sample):
    """Bit for bit: the logits are those of the QONNX graph, averaged in the same way."""
    for seed in range(3):
        description = random_description(config.network, seed=seed)
        net = QuantisedNetwork.from_description(description)
        with torch.no_grad():
            expected = binary_cross_entropy_with_logits(net(sample.values), torch.as_tensor(sample.labels)).item()
        assert MeasuredLoss(description, sample)() == expected


def test_the_measured_loss_is_that_of_the_changed_network(description, sample):
    changes = {
        name: replace(description.quantisers[name], bits=6, exponent=description.quantisers[name].exponent + 12)
        for name in ("q_plus", "pair", "w_d")
    }
    loss = MeasuredLoss(description, sample)
    before = loss()
    other = MeasuredLoss(replace(description, quantisers={**description.quantisers, **changes}), sample)
    assert loss(changes) == other() != before
    assert loss() == before
    loss.change(changes)
    assert loss() == other()
    assert loss.quantisers == other.quantisers

"""The integer program against an exhaustive search, and one greedy step against a calculation by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from random_networks import random_description

from nanopelican_hls.config import Config
from nanopelican_hls.errors import ConfigError
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.fold import fold
from nanopelican_hls.precision.assignment import Option, lowest_loss, options
from nanopelican_hls.precision.cost import COSTS, Cost, HeldBits
from nanopelican_hls.precision.greedy import GreedySearch
from nanopelican_hls.precision.loss import MeasuredLoss
from nanopelican_hls.precision.sensitivity import LossExpansion
from nanopelican_hls.precision.widths import (
    LEAST_BITS,
    allowed,
    blocks,
    own_widths,
    resized,
    uniform,
    with_widths,
)
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, QuantiserConfig, QuantisersConfig, Spurions
from nanopelican_hls.training.scales import calibrated


class Weighted(Cost):
    """A sum over tensors."""

    def __init__(self, weights):
        self.weights = weights

    def __call__(self, widths):
        return float(sum(weight * widths[name] for name, weight in self.weights.items()))


class Products(Cost):
    """Not a sum over tensors: multipliers of neighbours."""

    def __init__(self):
        pass

    def __call__(self, widths):
        bits = [widths[name] for name in "abcd"]
        return float(sum(x * y for x, y in pairwise(bits)))


def random_blocks(seed):
    """Four tensors of up to 8 bits, whose loss increases with every lost bit by a random amount."""
    rng = np.random.default_rng(seed)
    return [
        [
            Option({name: Quantiser(8 - lost, True, lost)}, increase)
            for lost, increase in enumerate(np.cumsum([0, *rng.exponential(1e-4, 6)]).tolist())
        ]
        for name in "abcd"
    ]


def total(choice):
    return sum(option.increase for option in choice)


def bits_of(quantisers):
    return {name: quantiser.bits for name, quantiser in quantisers.items()}


@pytest.mark.parametrize("seed", range(8))
def test_no_choice_is_better_than_that_of_the_program(seed):
    choices = random_blocks(seed)
    cost = Weighted(dict(zip("abcd", np.random.default_rng(seed).integers(1, 40, 4).tolist(), strict=True)))
    budget = 0.7 * cost(dict.fromkeys("abcd", 8))
    every = [c for c in product(*choices) if cost({n: b for o in c for n, b in o.widths.items()}) <= budget]
    found = bits_of(lowest_loss(choices, cost, budget))
    assert cost(found) <= budget
    increase = {(name, o.quantisers[name].bits): o.increase for block in choices for o in block for name in o.widths}
    assert sum(increase[item] for item in found.items()) == pytest.approx(min(map(total, every)), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_a_cost_that_is_no_sum_is_kept_to_as_well(seed):
    budget = 0.6 * Products()(dict.fromkeys("abcd", 8))
    found = bits_of(lowest_loss(random_blocks(seed), Products(), budget))
    assert 0.5 * budget < Products()(found) <= budget


def test_a_budget_that_nothing_meets_is_refused():
    with pytest.raises(
        ConfigError, match=r"meets the budget \(7; the widest choice .*\n.*no quantiser gets fewer than 2"
    ):
        lowest_loss(random_blocks(0), Weighted(dict.fromkeys("abcd", 1)), 7.0)


@pytest.fixture
def description(config, sample):
    return calibrated(config, fold(FloatNetwork(config.network, nbar=4, seed=0)), sample.values)


def test_options_of_a_block(config, description, sample):
    expansion, loss = LossExpansion(description, sample), MeasuredLoss(description, sample)
    own = {name: description.quantisers[name] for name in ("pair", "row")}
    found = options(expansion, loss, own, allowed(config))
    assert found[0].quantisers == own
    assert found[0].increase == 0
    assert len({tuple(option.widths.values()) for option in found}) == len(found) > 1
    for option in found:
        assert len({q.exponent for q in option.quantisers.values()}) == 1
        for other in found:
            if all(other.widths[name] >= bits for name, bits in option.widths.items()):
                assert other.increase <= option.increase
    assert loss() == MeasuredLoss(description, sample)()


class TestGreedy:
    def search(self, config, description, sample, cost=HeldBits):
        loss = MeasuredLoss(description, sample)
        return GreedySearch(loss, cost(description), blocks(config), allowed(config))

    def test_a_step_is_the_best_of_all(self, config, description, sample):
        search, loss = self.search(config, description, sample), MeasuredLoss(description, sample)
        cost = HeldBits(description)
        own = own_widths(config)
        ratios = []
        for block in blocks(config):
            for name in block:
                for up in (0, 1):
                    changed = {
                        n: replace(q, exponent=q.exponent + up) for n, q in description.quantisers.items() if n in block
                    }
                    changed[name] = replace(changed[name], bits=changed[name].bits - 1)
                    saved = cost(own) - cost({**own, name: own[name] - 1})
                    ratios.append(((loss(changed) - loss()) / saved, name))
        _, found = next(search.down_to([cost(own) - 1e-9], lambda _: None))
        lost = [name for name in own if found[name].bits < own[name]]
        assert lost == [min(ratios)[1]]
        assert found[lost[0]].bits == own[lost[0]] - 1

    def test_keeps_to_each_budget(self, config, description, sample):
        cost, saved = HeldBits(description), []
        full = cost(own_widths(config))
        found = list(self.search(config, description, sample).down_to([0.99 * full, 0.98 * full], saved.append))
        assert [budget for budget, _ in found] == [0.99 * full, 0.98 * full]
        for budget, quantisers in found:
            assert cost(bits_of(quantisers)) <= budget
        assert min(saved) > 0
        assert sum(saved) == full - cost(bits_of(found[-1][1]))
        assert all(found[1][1][name].bits <= q.bits for name, q in found[0][1].items())

    @pytest.mark.parametrize("cost", COSTS.values(), ids=COSTS)
    def test_ends_where_nothing_can_be_lost(self, config, sample, cost):
        least = with_widths(config, uniform(own_widths(config), 20), "least")
        description = calibrated(least, fold(FloatNetwork(least.network, nbar=4, seed=0)), sample.values)
        with pytest.raises(ConfigError, match="no quantiser can lose another bit"):
            next(self.search(least, description, sample, cost).down_to([1.0], lambda _: None))


class TestWidths:
    def test_of_a_configuration(self, config):
        widths = own_widths(config)
        assert "logit" not in widths
        assert (widths["q_plus"], widths["jet_q_plus"], widths["w_d"], widths["row_bias"]) == (8, 12, 8, 12)

    def test_in_a_configuration(self, config):
        widths = uniform(own_widths(config), 3)
        other = with_widths(config, widths, "narrow")
        assert own_widths(other) == widths
        assert other.name == "narrow"
        assert min(uniform(own_widths(config), 9).values()) == LEAST_BITS

    def test_settings_stay(self, config):
        tensors = {"d": QuantiserConfig(8, signed=True, clip=3000.0)}
        config = replace(config, quantisers=replace(config.quantisers, tensors=tensors))
        other = with_widths(config, {"d": 7}, "narrow")
        assert other.quantisers.tensors == {"d": QuantiserConfig(7, signed=True, clip=3000.0)}
        assert not allowed(config)("d", Quantiser(7, True, 5))
        assert allowed(config)("d", Quantiser(7, True, 6))

    def test_blocks_share_a_grid(self, config):
        found = blocks(config)
        assert ("pair", "row") in found
        assert sorted(name for block in found for name in block) == sorted(own_widths(config))
        clipped = replace(config.quantisers, tensors={"row": QuantiserConfig(8, clip=1.0)})
        assert ("row",) in blocks(replace(config, quantisers=clipped))

    def test_a_port_keeps_to_its_units(self):
        network = NetworkConfig(4, 2, spurions=Spurions.BEAMS, coordinates=Coordinates.CARTESIAN)
        description = random_description(network)
        eight = QuantiserConfig(8)
        config = Config("b", network, QuantisersConfig(momenta=eight, logit=eight, weights=eight, biases=eight))
        may_have = allowed(config)
        assert may_have("px", replace(description.quantisers["px"], exponent=0))
        assert not may_have("px", replace(description.quantisers["px"], exponent=1))

    def test_resizing_keeps_the_range(self, description):
        narrow = resized(description, {"d": 6, "w_d": 5})
        for name, bits in (("d", 6), ("w_d", 5)):
            before, after = description.quantisers[name], narrow.quantisers[name]
            assert after.bits == bits
            assert (after.high + 1) * after.scale == (before.high + 1) * before.scale

"""Costs against counts by hand."""

from __future__ import annotations

import pytest
from random_networks import NETWORKS, network_id, random_description

from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.precision import cost
from nanopelican_hls.precision.cost import AdderBits, HeldBits, adder_bits
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.export import build_program


def widths(description):
    return {name: quantiser.bits for name, quantiser in description.quantisers.items() if name != "logit"}


def test_held_bits_by_hand():
    """N = 4, C = 2, no spurion: 4 ports of 4 components, 6 pairs, 4 particles, 19 parameters."""
    description = random_description(NetworkConfig(4, 2), bits=8)
    elements = 4 * 4 * 10  # ports have 10 bits
    elements += 8 * (6 + 4 + 1 + 4 * 2 + 6 * 2 + 4 * 2 + 2 + 2 + 1)  # d, r, s, row, pair, diagonal, two sums, logit
    elements += 8 * (2 * 9 + 1)  # w_d, row and diagonal each w_r, w_s, bias, two k, and the output's bias
    cost = HeldBits(description)
    assert cost(widths(description)) == elements
    assert cost({**widths(description), "pair": 5}) == elements - 3 * 12


@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
def test_adders_fall_with_every_bit(network):
    """For any tensor that loses a bit; a port of Level-1 words cannot."""
    description = random_description(network, seed=2)
    cost, own = AdderBits(description), widths(description)
    full = cost(own)
    movable = [name for name in own if name in description.parameters or name not in ("pt", "eta", "phi")]
    for name in [n for n in movable if not (network.level1 and n.startswith("jet_") and n in ("jet_pt", "jet_mass"))]:
        if network.level1 and name in ("jet_eta", "jet_phi"):
            continue
        assert cost({**own, name: own[name] - 1}) <= full, name
    assert cost({**own, "pair": own["pair"] - 1, "w_d": own["w_d"] - 1}) < full


def test_rounding_costs_an_adder_and_truncation_nothing():
    network = NetworkConfig(4, 2)
    rounded, truncated = (build_program(random_description(network, roundings=[mode])) for mode in Rounding)
    quantised = sum(
        quantiser.bits * size
        for name, quantiser in rounded.quantisers.items()
        for size in [_size(rounded.shapes[name])]
    )
    exact = {name: r.bits for name, r in rounded.ranges.items()}
    assert exact == {name: r.bits for name, r in truncated.ranges.items()}
    assert adder_bits(rounded) - adder_bits(truncated) == pytest.approx(quantised)


def test_adders_by_hand():
    """One channel, two constituents: every count is visible."""
    program = build_program(random_description(NetworkConfig(2, 1), roundings=[Rounding.FLOOR], bits=6))
    bits = {name: r.bits for name, r in program.ranges.items()}
    constants = {name: q.bits for name, q in program.parameter_quantisers.items()}
    p = 8  # ports
    pair = (p + 1) ** 2 * 2 + 2 * bits["d_exact"] + 2 * p + 2 * (p + 1)
    particle = 2 * p * p + bits["d_exact"]
    expected = pair + 2 * particle
    expected += 0 + bits["s_exact"]  # r: one pair, nothing to add; s: r_0 + r_1
    for mix, output in (("row", "row_exact"), ("diagonal", "g")):
        expected += 2 * bits["r"] * constants[f"{mix}_w_r"] / 3 + bits["s"] * constants[f"{mix}_w_s"] / 3
        expected += (2 + 1) * bits[output]
    expected += bits["d"] * constants["w_d"] / 3 + 2 * bits["z"]
    expected += 0 + bits["diagonal_sum_exact"]
    expected += (bits["pair_sum"] * constants["k_pair"] + bits["diagonal_sum"] * constants["k_diagonal"]) / 3
    expected += 2 * bits["logit_exact"]
    assert adder_bits(program) == pytest.approx(expected)


def test_a_weight_from_a_table_is_no_constant(monkeypatch):
    program = build_program(random_description(NetworkConfig(2, 1, multiplicity_scaling=True), bits=6))
    bits = {name: r.bits for name, r in program.ranges.items()}
    weights = {name: q.bits for name, q in program.parameter_quantisers.items()}
    before = adder_bits(program)
    monkeypatch.setattr(cost, "DIGITS_PER_BIT", 1.0)
    assert adder_bits(program) - before == pytest.approx(bits["d"] * weights["w_d"] * 2 / 3)  # the only constant


def _size(shape):
    size = 1
    for length in shape:
        size *= length
    return size

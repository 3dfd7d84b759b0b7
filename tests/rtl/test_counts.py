"""Counts of pieces, made without any tool, against the generated hardware."""

import pytest
from random_networks import NETWORKS, random_description

from nanopelican_hls import zoo
from nanopelican_hls.contract.program import read_program
from nanopelican_hls.errors import RtlError
from nanopelican_hls.flows.yosys import map_rtl
from nanopelican_hls.rtl import Settings, generate_rtl, piece_counts
from nanopelican_hls.topology.export import build_program

JET = next(
    k for k in NETWORKS if k.symmetric and k.spurion == "jet" and k.coordinates.value == "light_cone" and not k.level1
)


def counts(settings, **parameters):
    description = random_description(JET, seed=1, bits=5)
    for name, value in parameters.items():
        description.parameters[name][...] = value
    found = piece_counts(build_program(description), settings)
    return {piece.name: piece for piece in found}


# products of the pairs of 4 constituents and the jet, and of the jet's mass; with Winograd's identity also those of
# each particle, in fabric and in two parts
@pytest.mark.parametrize(
    ("settings", "dsp", "in_fabric"),
    [
        (Settings(), 2 * (10 + 1), 4 * 5),
        (Settings(winograd=False), 4 * 10 + 3, 0),
        (Settings(products="fabric", winograd=False), 0, 4 * 10 + 3),
    ],
    ids=["winograd", "direct", "fabric"],
)
def test_products(settings, dsp, in_fabric):
    found = counts(settings)
    assert sum(piece.dsp for piece in found.values()) == dsp
    assert {name: len(piece.costs.products) for name, piece in found.items() if piece.costs.products} == {
        name: count for name, count in (("product", dsp), ("booth", in_fabric)) if count
    }


# 12 DSPs for pairs of the 4 constituents, 8 for their pairs with the jet, 2 for its mass; two fewer per pair in LUTs
@pytest.mark.parametrize(("most", "dsp"), [(22, 22), (21, 20), (9, 8), (1, 0), (0, 0)])
def test_a_limit_on_dsps(most, dsp):
    found = counts(Settings(most_dsps=most))
    assert sum(piece.dsp for piece in found.values()) == dsp
    unlimited = counts(Settings())
    in_fabric = 4 * (22 - dsp) // 2 - (dsp == 0)  # a square takes three products
    assert found["z"].cycle <= unlimited["z"].cycle
    assert len(found["booth"].costs.products) == len(unlimited["booth"].costs.products) + in_fabric


def test_a_limit_that_trigger_words_exceed():
    """Only products of momenta can move to LUTs, one by one."""
    program = read_program(zoo.file_of("trigger-n8-l1", ".onnx"))
    assert sum(piece.dsp for piece in piece_counts(program, Settings(interval=3, most_dsps=19))) == 19
    with pytest.raises(
        RtlError, match="most DSPs = 18: is too few: the conversion of trigger words takes 19"
    ) as caught:
        piece_counts(program, Settings(interval=3, most_dsps=18))
    assert "allow 19" in caught.value.remedy


def test_pieces():
    found = counts(Settings())
    assert found["z"].instances == 10
    assert found["d_exact"].instances == 6
    assert found["pair_sum_exact"].instances == JET.channels
    assert found["z"].costs.adder_bits > 0
    assert found["d_exact"].cycle < found["z"].cycle < found["logit_exact"].cycle
    assert found["delay"].costs.register_bits > 0


def test_a_weight_of_a_power_of_two_costs_no_addition():
    """w_d d and the terms of two particles then take one ternary adder, plus rounding."""
    dear, cheap = (counts(Settings(), w_d=w).get("z").costs.adder_bits for w in (0.6875, 0.5))
    assert cheap < 0.7 * dear


@pytest.mark.parametrize(("bits", "traced"), [pytest.param(4, 0, marks=pytest.mark.long), (5, 28)])
def test_products_with_weights_from_tables(bits, traced, tmp_path):
    """Per channel, M = 5 for rows and for the diagonal, one for S in both, and two in the readout."""
    network = next(k for k in NETWORKS if k.multiplicity_scaling)
    program = build_program(random_description(network, seed=1, bits=bits))
    found = {piece.name: piece.dsp for piece in piece_counts(program, Settings()) if piece.dsp}
    assert sum(found.values()) - found["product"] == traced
    mapped = map_rtl(generate_rtl(program, tmp_path / "rtl", settings=Settings()))
    assert found == {name: piece.dsp for name, piece in mapped.pieces.items() if piece.dsp}
    assert sum(piece.dsp for piece in piece_counts(program, Settings(most_dsps=0))) == 0


@pytest.mark.parametrize("products", ["dsp", "fabric"])
def test_dsps_are_those_that_yosys_finds(products, tmp_path):
    """For a network with trigger words as inputs, whose conversion has multipliers too."""
    network = next(k for k in NETWORKS if k.level1)
    program = build_program(random_description(network, seed=1, bits=5))
    settings = Settings(products=products, winograd=products == "dsp")
    mapped = map_rtl(generate_rtl(program, tmp_path / "rtl", settings=settings))
    found = {piece.name: piece.dsp for piece in piece_counts(program, settings) if piece.dsp}
    assert found == {name: piece.dsp for name, piece in mapped.pieces.items() if piece.dsp}
    assert bool(found) == (products == "dsp")
    assert products == "fabric" or {"q_plus_exact", "jet_q_minus_exact"} < set(found)

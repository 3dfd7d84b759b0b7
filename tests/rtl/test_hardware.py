"""The hardware of all forms of the network: pieces, and Verilog simulation against QONNX execution."""

import dataclasses
import re

import pytest
from hls_models import LIGHT_CONE
from random_networks import NETWORKS, network_id, random_description

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.flows.verilator import compile_simulation, simulate
from nanopelican_hls.proof.hostile import hostile_events
from nanopelican_hls.rtl.hardware import Settings, build
from nanopelican_hls.rtl.netlist import Instance
from nanopelican_hls.rtl.project import generate_rtl
from nanopelican_hls.topology.config import Multiplicity, NetworkConfig
from nanopelican_hls.topology.export import build_program

#: with weights that are tables over the multiplicity
SCALED = [network for network in NETWORKS if network.multiplicity_scaling]


def mismatches(network, folder, settings=None, **description):
    program = build_program(random_description(network, seed=NETWORKS.index(network), bits=5, **description))
    tensors = execute(program, hostile_events(program, lambda ports: execute(program, ports), 300).ports)
    project = generate_rtl(program, folder / "rtl", settings=settings or Settings())
    compile_simulation(project)
    result = simulate(program, project, tensors)
    assert result.latency_cycles == project.latency_cycles
    return result.mismatches


# the symmetric light-cone form with the jet and all products in DSPs is in test_project
@pytest.mark.parametrize(
    ("network", "settings"),
    [
        (NETWORKS[7], Settings(most_dsps=7)),
        (next(n for n in NETWORKS if n.multiplicity is Multiplicity.VALID), Settings()),
        (SCALED[0], Settings(products="fabric")),
        (SCALED[0], Settings(most_dsps=9, levels_per_stage=1.0)),
        (SCALED[1], Settings()),
        (NETWORKS[-1], Settings()),
    ],
    ids=["beams-cartesian-mixed", "untied-jet-n", "scaled-fabric", "scaled-mixed", "scaled-by-bins", "3-classes"],
)
def test_verilog_equals_qonnx_execution(network, settings, tmp_path):
    assert mismatches(network, tmp_path, settings) == 0


def test_inner_quantisers_may_be_off(tmp_path):
    settings = Settings(products="fabric", winograd=False)
    assert mismatches(NETWORKS[1], tmp_path, settings, without=("d", "row", "pair", "pair_sum")) == 0


@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
def test_equal_pieces_are_one_module(network):
    program = build_program(random_description(network, seed=2, bits=5))
    netlist = build(program, "p", Settings()).netlist
    count = netlist.count()
    assert sum(count.values()) == len(netlist.instances)
    pairs = program.shapes["z"][0] // (1 if network.symmetric else 2)
    mixes = {module: number for module, number in count.items() if module.startswith("p_z_v")}
    assert sum(mixes.values()) == pairs
    assert len(mixes) <= 4


def test_half_a_unit_far_above_the_bias_is_no_part_of_it():
    """Merged, they would have more bits than the tracer can add."""
    description = random_description(NETWORKS[1], bits=5)
    wide = {"row_bias": Quantiser(20, True, -20), "row": Quantiser(5, True, 14)}
    program = build_program(dataclasses.replace(description, quantisers=description.quantisers | wide))
    netlist = build(program, "p", Settings()).netlist
    assert netlist.count()["p_row_exact_v0"] > 0


def test_parameters_that_32_bits_do_not_hold_have_a_size():
    parameters = {"SMALL": 2**31 - 1, "WIDE": 2**31, "NEGATIVE": -(2**40)}
    line = Instance("module", "name", {"a": "b"}, parameters).verilog()
    assert ".SMALL(2147483647), .WIDE(33'sd2147483648), .NEGATIVE(-42'sd1099511627776)" in line


@pytest.mark.parametrize(("bits", "widest"), [(23, {"8", "26"}), (24, set())])
def test_factors_too_wide_for_a_dsp_are_multiplied_in_luts(bits, widest, tmp_path):
    """A DSP48E2 adds two factors of 26 bits before it multiplies; a chain that needs more is none."""
    description = random_description(NetworkConfig(2, 1, symmetric=True, coordinates=LIGHT_CONE), bits=10)
    given = description.quantisers
    shapes = {"q_plus": (bits, 0), "q_minus": (8, 0), "q_y": (8, 2), "q_z": (8, 2)}
    changed = {
        n: dataclasses.replace(given[n], bits=b, exponent=given[n].exponent - finer) for n, (b, finer) in shapes.items()
    }
    program = build_program(dataclasses.replace(description, quantisers=given | changed))
    project = generate_rtl(program, tmp_path / "rtl")
    text = next(path for path in project.sources if path.stem == project.top).read_text()
    assert set(re.findall(r"\.A_WIDTH\((\d+)\)", text)) == widest

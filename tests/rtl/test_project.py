"""Generated RTL: its files, its simulation against QONNX execution, and its mapping."""

import dataclasses
import json
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from random_networks import NETWORKS, network_id, random_description

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.errors import RtlError
from nanopelican_hls.flows import yosys as mapping
from nanopelican_hls.flows.verilator import compile_simulation, simulate
from nanopelican_hls.flows.yosys import NETLIST, PIECES, map_rtl
from nanopelican_hls.proof.hostile import hostile_events
from nanopelican_hls.rtl.hardware import Settings
from nanopelican_hls.rtl.project import TEMPLATES, generate_rtl, read_rtl
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

#: Yosys' cell models, and a model of the DSP, which Yosys lacks
CELLS = [
    Path(str(resources.files("pyosys"))) / "share" / "xilinx" / "cells_sim.v",
    Path(__file__).with_name("dsp48e2_model.v"),
]
#: two constituents, the jet, and tables: all kinds of logic, in a small network
SMALL = NetworkConfig(2, 1, symmetric=True, spurions=Spurions.JET, coordinates=Coordinates.LIGHT_CONE)


@cache
def example():
    """A program, and its tensors for hostile events."""
    program = build_program(random_description(SMALL, True, seed=1, bits=4))
    return program, execute(program, hostile_events(program, lambda ports: execute(program, ports), 1000).ports)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return generate_rtl(example()[0], tmp_path_factory.mktemp("rtl") / "tagger", top="tagger")


@pytest.fixture(scope="module")
def simulated(project):
    compile_simulation(project)
    return project


def test_simulation_equals_qonnx_execution_with_a_new_event_every_cycle(simulated):
    program, tensors = example()
    result = simulate(program, simulated, tensors)
    assert result.mismatches == 0, str(result.comparison)
    assert result.events == len(tensors["logit"]) >= 1000
    assert result.initiation_interval == 1
    assert result.latency_cycles == simulated.latency_cycles


def test_a_wrong_logit_is_found(simulated):
    program, tensors = example()
    wrong = tensors["logit"].copy()
    wrong[17] += 2.0 ** simulated.outputs[0].exponent * (1 if wrong[17] < 0 else -1)
    result = simulate(program, simulated, tensors | {"logit": wrong})
    assert result.mismatches == 1
    first = result.comparison.first
    assert (first.tensor, first.jet, first.index) == ("logit", 17, (0,))
    assert first.other == np.ldexp(tensors["logit"][17, 0], -first.exponent)


def test_equal_logits_show_no_latency(simulated):
    program, tensors = example()
    with pytest.raises(RtlError, match="all events have the same output"):
        simulate(program, simulated, tensors | {"logit": np.full_like(tensors["logit"], tensors["logit"][0])})


@pytest.fixture(scope="module")
def cells(project):
    return map_rtl(project)


def test_mapping_counts_cells(project, cells):
    assert cells.lut == sum(cells.lut_by_size.values()) + cells.lut_of_two + cells.srl > 100
    assert cells.lut_of_two > 50
    assert cells.ff > 100
    assert cells.carry4 > 0
    # two products per pair of the two constituents and the jet, and for the jet's mass; those of single particles are
    # narrow and not worth a DSP
    assert cells.dsp == 2 * (3 + 1)
    assert cells.bram36 == 0
    assert (project.path / "map" / "map.ys").is_file()


def test_mapping_counts_a_module_as_often_as_it_stands_in_the_design(project, cells):
    top = (project.path / "src" / "tagger.v").read_text()
    assert top.count("tagger_z_v") == 3
    assert cells.pieces["z"].instances == 3
    assert cells.pieces["product"].dsp == cells.dsp
    for count in ("lut", "srl", "ff", "dsp"):
        assert sum(getattr(piece, count) for piece in cells.pieces.values()) == getattr(cells, count)
    table = json.loads((project.path / "map" / PIECES).read_text())["pieces"]
    assert table["z"]["lut"] == cells.pieces["z"].lut > 0


#: modules that are not alkaid's: the hand-written ones, the top module and the pieces
def strict_sources(project):
    generated = [path for path in project.sources if path.name.startswith(("nanopelican_", project.top))]
    return [*generated, *TEMPLATES.glob("*.v")]


def test_nets_must_be_declared(project):
    for path in strict_sources(project):
        lines = path.read_text().splitlines()
        assert (lines[0], lines[-1]) == ("`default_nettype none", "`default_nettype wire"), path


def test_a_misspelt_net_is_an_error(project, tmp_path):
    (tmp_path / "tagger.v").write_text(
        (project.path / "src" / "tagger.v").read_text().replace(".y(q_y_0))", ".y(q_y_o))")
    )
    sources = [tmp_path / path.name if path.name == "tagger.v" else path for path in project.sources]
    with pytest.raises(RtlError, match=r"Verilator failed: %Error.*q_y_o"):
        compile_simulation(dataclasses.replace(project, path=tmp_path), sources)


def test_a_killed_mapping_says_how_far_it_came(project, tmp_path, monkeypatch):
    """As by the kernel when memory runs out."""
    worker = "import os; print('7.1. Executing OPT pass.', flush=True); os.kill(os.getpid(), 9)"
    monkeypatch.setattr(mapping, "YOSYS", worker)
    (tmp_path / "src").symlink_to(project.path / "src")
    with pytest.raises(RtlError, match=r"Yosys was killed in step 7.1. Executing OPT pass"):
        map_rtl(dataclasses.replace(project, path=tmp_path))


def test_the_mapped_netlist_equals_qonnx_execution(project, cells, tmp_path):  # noqa: ARG001
    """Including the cells that are instantiated for Yosys: DSPs and LUTs with two outputs."""
    program, tensors = example()
    elsewhere = dataclasses.replace(project, path=tmp_path)
    compile_simulation(elsewhere, [project.path / "map" / NETLIST, *CELLS])
    result = simulate(program, elsewhere, tensors)
    assert (result.mismatches, result.latency_cycles) == (0, project.latency_cycles), str(result.comparison)


def test_mapping_says_how_far_it_came(project, tmp_path):
    broken = dataclasses.replace(project, path=tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "tagger.v").write_text("module tagger(; endmodule")
    with pytest.raises(RtlError, match=r"Yosys (failed: ERROR|exited)"):
        map_rtl(broken)


def test_a_path_with_a_space_is_refused(project, tmp_path):
    with pytest.raises(RtlError, match="has a space in its path"):
        compile_simulation(dataclasses.replace(project, path=tmp_path / "my tagger"))


def test_verilator_errors_are_shown(project, tmp_path):
    broken = dataclasses.replace(project, path=tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "tagger.v").write_text("module tagger(; endmodule")
    with pytest.raises(RtlError, match=r"Verilator failed: %Error"):
        compile_simulation(broken)


def test_the_manifest_says_what_was_written(project):
    assert read_rtl(project.path) == project
    program, _ = example()
    assert (project.inputs, project.outputs) == (program.inputs, program.outputs)


@pytest.mark.parametrize("network", NETWORKS[::3], ids=network_id)
def test_any_form_has_a_top_module(network, tmp_path):
    program = build_program(random_description(network, bits=4))
    made = generate_rtl(program, tmp_path / "rtl", top="form", settings=Settings(12))
    text = (made.path / "src" / "form.v").read_text()
    for port in (*made.inputs, *made.outputs):
        assert f"[{port.width - 1}:0] {port.tensor}" in text


def test_fewer_levels_a_stage_give_more_cycles(project, tmp_path):
    deeper = generate_rtl(example()[0], tmp_path / "rtl", top="tagger", settings=Settings(2))
    assert deeper.latency_cycles > project.latency_cycles


def test_vhdl(tmp_path):
    made = generate_rtl(example()[0], tmp_path / "rtl", top="tagger", language="vhdl")
    assert any("entity tagger_pipeline" in path.read_text() for path in made.sources)
    with pytest.raises(RtlError, match="only Verilog can be simulated"):
        compile_simulation(made)
    with pytest.raises(RtlError, match="only Verilog can be mapped"):
        map_rtl(made)


def test_an_older_project_is_replaced_and_nothing_else(tmp_path):
    program = example()[0]
    generate_rtl(program, tmp_path / "rtl", top="one")
    assert [
        path.name for path in generate_rtl(program, tmp_path / "rtl", top="two").sources if "one" in path.name
    ] == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(RtlError, match="exists and is not an RTL project"):
        generate_rtl(program, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.tex").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"top": "8jets"}, "is not a valid module name"),
        ({"language": "systemc"}, "use verilog or vhdl"),
        ({"language": "vhdl", "probes": True}, "does not support probes"),
        ({"settings": Settings(0)}, "use 1 or more"),
        ({"settings": Settings(products="paper")}, "use dsp or fabric"),
    ],
)
def test_arguments_out_of_range(tmp_path, arguments, message):
    with pytest.raises(RtlError, match=message):
        generate_rtl(example()[0], tmp_path / "rtl", **arguments)


def test_a_network_that_says_the_same_of_every_jet(tmp_path):
    description = random_description(SMALL, bits=4)
    silent = {name: np.zeros_like(value) for name, value in description.parameters.items()}
    program = build_program(dataclasses.replace(description, parameters=silent))
    with pytest.raises(RtlError, match="the same logit for every jet"):
        generate_rtl(program, tmp_path / "rtl")


def test_inputs_without_effect_stay_ports(tmp_path):
    """Without weights on pairs, the logit depends only on the diagonal: masks and the jet."""
    description = random_description(SMALL, bits=4)
    kept = {
        name: value * (not name.startswith(("w_d", "row", "k_pair"))) for name, value in description.parameters.items()
    }
    program = build_program(dataclasses.replace(description, parameters=kept))
    made = generate_rtl(program, tmp_path / "rtl", top="tagger")
    text = (made.path / "src" / "tagger.v").read_text()
    for port in program.inputs:
        assert f"input wire [{port.width - 1}:0] {port.tensor}" in text


def test_no_project(tmp_path):
    with pytest.raises(RtlError, match="is not an RTL project"):
        read_rtl(tmp_path)


def test_not_compiled(project):
    program, tensors = example()
    with pytest.raises(RtlError, match="compile it first"):
        simulate(program, dataclasses.replace(project, path=project.path.parent), tensors)

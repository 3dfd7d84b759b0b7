"""RTL compared with QONNX execution at every tensor that exists as nets."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from random_networks import NETWORKS, network_id, random_description, random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import Program, read_program
from nanopelican_hls.flows.verilator import compile_simulation, executor, expected, simulate
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.network.model import load_model
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.proof.executors import prove
from nanopelican_hls.proof.hostile import hostile_events
from nanopelican_hls.rtl import Settings, generate_rtl
from nanopelican_hls.topology.dataflow import outputs
from nanopelican_hls.topology.export import build_program

MODEL = Path(__file__).parents[2] / "models" / "trigger-n8.onnx"
JETS = 300


@pytest.fixture(scope="module")
def program() -> Program:
    return read_program(MODEL)


@pytest.fixture(scope="module")
def events(program):
    """Jets from the sample, and hostile events."""
    hostile = hostile_events(program, lambda ports: execute(program, ports), JETS).ports
    jets = port_values(read_jets(sample_path(), JETS), load_model(MODEL.with_suffix(".pt")).config.network)
    return {port: np.concatenate([jets[port], values]) for port, values in hostile.items()}


@pytest.fixture(scope="module")
def project(program, tmp_path_factory):
    made = generate_rtl(program, tmp_path_factory.mktemp("probes") / "rtl", probes=True)
    compile_simulation(made)
    return made


def test_every_tensor_of_a_trigger_model(program, project, events):
    result = simulate(program, project, execute(program, events))
    assert result.comparison.first is None
    assert result.comparison.jets > 2 * JETS
    assert result.latency_cycles == project.latency_cycles
    # those missing are exact values that are quantised in the same piece
    assert set(program.ranges) - set(result.comparison.tensors) == {
        *(f"{tensor}_exact" for tensor in ("d", "d_rest", "d_rr", "s", "row", "pair", "pair_sum", "diagonal_sum")),
        *("z", "g", "diagonal_exact", "logit_exact"),
    }


def test_saturated_quantisers_and_padded_particles_are_among_them(program, project, events):
    tensors = execute(program, events)
    for tensor in ("d", "row", "pair", "diagonal", "pair_sum", "r"):
        q = program.quantisers[tensor]
        assert (tensors[tensor] == q.high * q.scale).any() or (tensors[tensor] == q.low * q.scale).any(), tensor
    wanted = expected(program, project, tensors)
    for tensor in ("row", "pair", "diagonal"):
        assert (wanted[tensor] != tensors[tensor]).any(), tensor
    assert (tensors["mask"] == 0).any()


def test_the_proof_takes_rtl_as_an_executor(program, project, events):
    reference = lambda chunk: expected(program, project, execute(program, chunk))  # noqa: E731
    executors = {"qonnx": reference, "rtl": executor(project)}
    proof = prove(program, executors, events, reference="qonnx", progress=lambda _: None)
    assert proof.comparisons["rtl"].first is None
    assert len(proof.comparisons["rtl"].tensors) > 20


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(network, marks=pytest.mark.long if k % 2 else [], id=network_id(network))
        for k, network in enumerate(NETWORKS[1::4])
    ],
)
def test_every_tensor_of_other_forms(network, tmp_path):
    program = build_program(random_description(network, tables=True, seed=3, bits=4))
    made = generate_rtl(program, tmp_path / "rtl", probes=True, settings=Settings(products="fabric", winograd=False))
    compile_simulation(made)
    tensors = execute(program, hostile_events(program, lambda ports: execute(program, ports), 100).ports)
    result = simulate(program, made, tensors)
    assert result.comparison.first is None
    inner = {"mask", "d", "r", "s", "row", "pair", "diagonal", "pair_sum"}
    assert inner | set(outputs(network)) <= set(result.comparison.tensors)


def test_damage_is_found_at_the_first_tensor_that_differs(tmp_path):
    """The damage clears the last bit of the row sums."""
    program = build_program(random_description(NETWORKS[3], seed=1, bits=5))
    made = generate_rtl(program, tmp_path / "rtl", probes=True)
    (source,) = made.path.glob("src/nanopelican_r_exact_v*.v")
    text = source.read_text()
    damaged = text.replace("assign y0 = ", "assign y0 = ~1 & ")
    assert damaged != text
    source.write_text(damaged)
    compile_simulation(made)
    ports = random_ports(NETWORKS[3], 200)
    comparison = compare(program, expected(program, made, execute(program, ports)), executor(made)(ports))
    assert comparison.mismatches > 0
    assert comparison.first.tensor.removesuffix("_exact") == "r"


def test_probes_cost_nothing_where_there_are_none(program, project, tmp_path):
    plain = generate_rtl(program, tmp_path / "rtl")
    assert (plain.probes, plain.latency_cycles) == ((), project.latency_cycles)
    for source in plain.sources:
        if source.name != "nanopelican.v":
            assert source.read_text() == (project.path / "src" / source.name).read_text()
    assert dataclasses.replace(project, path=plain.path, probes=()) == plain

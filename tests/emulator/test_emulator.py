"""The emulator against QONNX execution, at every tensor."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from compilers import compiler_or_skip
from emulators import build
from random_networks import NETWORKS, network_id, random_description

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import Program
from nanopelican_hls.emulator.project import EmulatorTarget
from nanopelican_hls.emulator.source import LANES
from nanopelican_hls.flows.emulation import compile_emulator
from nanopelican_hls.operators import OPERATORS
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.proof.hostile import hostile_events
from nanopelican_hls.topology.export import build_program
from nanopelican_hls.topology.result import Output, Result, with_result

#: changes of an emulator, each of which must be seen
MUTANTS = {
    "halves are rounded up": (r"\(\(x >> shift\) & 1\)", "1"),
    "halves are rounded down": (r"\(\(x >> shift\) & 1\)", "0"),
    "a bound is one too low": (r"x > high \? high", "x > high - 1 ? high - 1"),
    "a bound is one too high": (r"x < low \? low", "x < low - 1 ? low - 1"),
    "a real number is rounded down": (r"down && nearest > x", "nearest > x"),
    "a sum without its first term": (
        r"for \(int i = 0; i < 6; i\+\+\) \{\n        for \(int j = 0",
        r"for (int i = 0; i < 6; i++) {\n        for (int j = 1",
    ),
    "the mask is not applied": (r"mask\[second\]\[jet\] & mask\[first\]\[jet\]", "1"),
    "pairs in another order": (r"(second_of_7\[21\] = \{\n +)1, 2", r"\g<1>2, 1"),
}


def assert_equal(emulator, reference, events):
    comparison = compare(emulator.program, reference, emulator.trace(events))
    assert comparison.mismatches == 0, str(comparison)
    assert set(comparison.tensors) == set(emulator.program.ranges)
    for name, values in emulator.predict(events).items():
        np.testing.assert_array_equal(values, reference[name])


@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
def test_every_tensor_equals_qonnx_execution(network, tmp_path):
    program = build_program(random_description(network, tables=True, seed=NETWORKS.index(network)))
    events = hostile_events(program, lambda ports: execute(program, ports), 100).ports
    assert_equal(build(program, tmp_path / "emulator"), execute(program, events), events)


def test_the_networks_have_every_operator():
    programs = [build_program(random_description(network, tables=True)) for network in NETWORKS]
    programs.append(with_result(programs[0], Result(Output.SCORE, 0.0)))
    assert {node.operator.name for program in programs for node in program.nodes} == {*OPERATORS, "Quant", "Relu"}


@pytest.mark.parametrize("optimisation", ["-O2", "-O3"])
@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_compilers(compiler, optimisation, program, events, reference, tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", compiler_or_skip(compiler))
    assert_equal(build(program, tmp_path / "emulator", optimisation=optimisation), reference, events)


@pytest.mark.parametrize("kernels", ["any", "avx2", "avx512"])
def test_the_loops_of_every_processor(kernels, program, events, reference, tmp_path):
    """Also those that this one would not choose."""
    project = EmulatorTarget().write(program, tmp_path / "emulator")
    source = project.path / "emulator.cpp"
    if kernels != "any" and kernels not in Path("/proc/cpuinfo").read_text():
        pytest.skip(f"this processor has no {kernels}")
    head = "const Kernels &kernels() {"
    assert head in source.read_text()
    source.write_text(source.read_text().replace(head, f"{head} return {kernels};"))
    assert_equal(compile_emulator(project, optimisation="-O3"), reference, events)


@pytest.mark.parametrize("change", MUTANTS)
def test_a_wrong_emulator_is_found(change, program, events, reference, tmp_path):
    project = EmulatorTarget().write(program, tmp_path / "emulator")
    source = project.path / "emulator.cpp"
    text, count = re.subn(*MUTANTS[change], source.read_text())
    assert count
    source.write_text(text)
    assert compare(program, reference, compile_emulator(project, optimisation="-O0").trace(events)).mismatches > 0


@pytest.mark.parametrize("jets", [0, 1, LANES - 1, LANES, LANES + 1])
def test_the_number_of_jets_does_not_matter(jets, emulator, events, reference):
    found = emulator.trace({name: values[:jets] for name, values in events.items()})
    for tensor, values in found.items():
        np.testing.assert_array_equal(values, reference[tensor][:jets])


def test_integers_at_the_ports(emulator, events, reference):
    outputs, _ = emulator.run(emulator.port_integers(events), traced=False)
    exponent = emulator.program.exponent("logit")
    np.testing.assert_array_equal(np.ldexp(outputs["logit"].astype(float), exponent), reference["logit"])


def test_threads(emulator, events, reference):
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(emulator.predict, 16 * [events]):
            np.testing.assert_array_equal(found["logit"], reference["logit"])


def test_any_name_of_a_tensor(program, events, reference, tmp_path):
    """Names of C++ and of the template, names that differ in no letter, and one that looks like a local variable."""
    wanted = ["jet", "int", "first", "d exact", "d/exact", "d_exact", "0", "EOF", "passing", "pair_exact_0", "ß", "i"]
    tensors = [tensor for tensor in program.ranges if tensor not in {port.tensor for port in program.outputs}]
    new = dict(zip(tensors[len(program.inputs) :], wanted, strict=False)) | {"w_d": "place", "row_bias": "clip"}
    model = type(program.model)()
    model.CopyFrom(program.model)
    for node in model.graph.node:
        node.input[:] = [new.get(name, name) for name in node.input]
        node.output[:] = [new.get(name, name) for name in node.output]
    for value in model.graph.value_info:
        value.name = new.get(value.name, value.name)
    renamed = Program.parse(model)
    found = build(renamed, tmp_path / "emulator").trace(events)
    for tensor in program.ranges:
        np.testing.assert_array_equal(found[new.get(tensor, tensor)], reference[tensor])

"""Programs with several outputs, in every executor, test bench and target."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from emulators import build
from random_networks import random_description, random_ports
from rtl_extra import MISSING

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import Program
from nanopelican_hls.flows.csimulation import compile, predict, trace
from nanopelican_hls.flows.testbench import BenchResult, run_testbench
from nanopelican_hls.hls import convert
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.proof.executors import prove
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

NETWORK = NetworkConfig(3, 2, spurions=Spurions.JET)
EVENTS = 150
needs_rtl = pytest.mark.skipif(bool(MISSING), reason=f"needs the extra rtl: {', '.join(MISSING)}")


def with_outputs(*more: str) -> Program:
    """A network with some of its inner tensors as further outputs."""
    model = onnx.ModelProto()
    model.CopyFrom(build_program(random_description(NETWORK, tables=True, seed=5, bits=5)).model)
    inner = list(model.graph.value_info)
    del model.graph.value_info[:]
    for value in inner:
        (model.graph.output if value.name in more else model.graph.value_info).append(value)
    return Program.parse(model)


@pytest.fixture(scope="module")
def program() -> Program:
    """A scalar output, one with an element per channel, and one without a quantiser."""
    return with_outputs("pair_sum", "logit_exact")


@pytest.fixture(scope="module")
def ports():
    return random_ports(NETWORK, EVENTS, seed=2)


@pytest.fixture(scope="module")
def reference(program, ports):
    return execute(program, ports)


def test_ports(program):
    assert [(port.name, port.shape) for port in program.outputs] == [
        ("logit", (1,)),
        ("pair_sum", (2,)),
        ("logit_exact", (1,)),
    ]
    for port in program.outputs:
        assert (port.bits, port.exponent) == (program.ranges[port.tensor].bits, program.exponent(port.tensor))


@pytest.fixture(scope="module")
def firmware(program, tmp_path_factory):
    return compile(convert(program, tmp_path_factory.mktemp("outputs") / "hls"), optimisation="-O0")


def test_c_simulation(program, firmware, ports, reference):
    outputs = predict(firmware, ports)
    assert list(outputs) == [port.name for port in program.outputs]
    for name, values in outputs.items():
        np.testing.assert_array_equal(values, reference[name])
    assert compare(program, reference, trace(firmware, ports)).first is None


def test_emulator(ports, tmp_path):
    """Outputs with two axes, and a port itself."""
    program = with_outputs("pair", "row", "q_plus", "E")
    outputs = build(program, tmp_path / "emulator").predict(ports)
    assert {"logit", "pair", "row"} < outputs.keys() == {port.name for port in program.outputs}
    reference = execute(program, ports)
    for name, values in outputs.items():
        np.testing.assert_array_equal(values, reference[name])


def test_the_proof_keeps_all_outputs(program, firmware, ports, reference):
    executors = {"qonnx": lambda jets: execute(program, jets), "csim": lambda jets: trace(firmware, jets, threads=1)}
    proof = prove(program, executors, ports, reference="qonnx", progress=lambda _: None)
    assert proof.comparisons["csim"].first is None
    for name in ("logit", "pair_sum"):
        np.testing.assert_array_equal(proof.outputs["csim"][name], reference[name])


def test_the_bench_checks_every_element(firmware, ports, reference):
    assert run_testbench(firmware, ports, reference) == BenchResult(EVENTS, 0, None)
    wrong = reference["pair_sum"].copy()
    exponent = firmware.program.exponent("pair_sum")
    wrong[31, 1] += 2.0**exponent
    expected, got = (int(np.ldexp(x[31, 1], -exponent)) for x in (wrong, reference["pair_sum"]))
    found = run_testbench(firmware, ports, reference | {"pair_sum": wrong})
    assert found == BenchResult(EVENTS, 1, f"event 31, pair_sum[1], expected {expected}, got {got}")


@needs_rtl
@pytest.mark.parametrize("more", [("pair_sum", "logit_exact"), ("diagonal",), ("pair", "row")])
def test_rtl(more, ports, tmp_path):
    """Outputs equal the contract for padded particles too, where inner tensors may have cheaper values."""
    from nanopelican_hls.flows.verilator import compile_simulation, simulate
    from nanopelican_hls.rtl import generate_rtl

    program = with_outputs(*more)
    project = generate_rtl(program, tmp_path / "rtl")
    assert project.outputs == program.outputs
    compile_simulation(project)
    reference = execute(program, ports)
    assert (reference["mask"] == 0).any()
    result = simulate(program, project, reference)
    assert result.comparison.first is None
    assert {*more, "logit"} <= set(result.comparison.tensors)
    assert result.latency_cycles == project.latency_cycles


@needs_rtl
def test_estimate(program):
    from nanopelican_hls.estimate.estimate import Counts
    from nanopelican_hls.rtl import Settings

    more, one = (Counts.of(p, Settings()) for p in (program, with_outputs()))
    assert more.cycles >= one.cycles
    outputs = {port.name: port for port in program.outputs}
    assert more.waiting_bits + more.shift_registers > one.waiting_bits + one.shift_registers + outputs["pair_sum"].width

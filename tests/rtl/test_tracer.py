"""Traced programs in alkaid's interpreter against QONNX execution, at every tensor."""

from functools import cache

import numpy as np
import pytest
from alkaid.converter import trace_model
from alkaid.trace import trace as trace_logic
from random_networks import NETWORKS, network_id, random_description

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.proof.comparison import compare
from nanopelican_hls.proof.hostile import hostile_events
from nanopelican_hls.rtl.circuit import circuit
from nanopelican_hls.rtl.symbolic import Symbolic
from nanopelican_hls.rtl.tracer import trace
from nanopelican_hls.topology.export import build_program

EVENTS = 100


@cache
def example(network, *, tables, without=()):
    """A random network: its program, quantised hostile events by input tensor, and the tensors of QONNX execution."""
    model = build_program(random_description(network, tables, seed=NETWORKS.index(network), without=without))
    program = model
    events = hostile_events(program, lambda ports: execute(model, ports), EVENTS).ports
    reference = execute(model, events)
    return program, {port.tensor: reference[port.tensor] for port in program.inputs}, reference


@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
def test_every_tensor_equals_qonnx_execution(network):
    # the tests below are without tables
    program, ports, reference = example(network, tables=True)
    comparison = compare(program, reference, trace(program).circuit(all_tensors=True).evaluate(ports))
    assert comparison.mismatches == 0, str(comparison)
    assert set(comparison.tensors) == set(program.ranges)


def test_inner_quantisers_may_be_off():
    program, ports, reference = example(NETWORKS[0], tables=True, without=("d", "row", "pair", "pair_sum"))
    comparison = compare(program, reference, trace(program).circuit().evaluate(ports))
    assert comparison.mismatches == 0, str(comparison)


def test_alkaid_finds_the_tracer():
    program, ports, reference = example(NETWORKS[0], tables=False)
    logic = trace_logic(*trace_model(program), keep_dead_inputs=True)
    flat = np.concatenate([array.reshape(len(array), -1) for array in ports.values()], axis=1)
    np.testing.assert_array_equal(logic.predict(flat), reference["logit"])


def test_alkaid_inputs_of_another_type_are_quantised():
    program, ports, reference = example(NETWORKS[0], tables=False)
    inputs, outputs = trace_model(program, inputs_kif=(1, 20, 8))
    logic = trace_logic(inputs, outputs, keep_dead_inputs=True)
    flat = np.concatenate([array.reshape(len(array), -1) for array in ports.values()], axis=1)
    np.testing.assert_array_equal(logic.predict(flat), reference["logit"])


@pytest.mark.parametrize("signed", [False, True], ids=["mask", "sign"])
def test_products_by_masks_and_signs(signed):
    x = Symbolic.inputs((1, 1), Quantiser(5, True, -1))
    y = Symbolic.inputs((1, 1), Quantiser(3, signed, 0))
    a, b = (v.reshape(-1, 1) for v in np.meshgrid(np.arange(-16, 16) / 2, np.arange(8.0) - 4 * signed))
    factor = y.clip(-1, 1) if signed else y != 0
    logic = circuit({"x": x, "y": y}, {"product": x * factor})
    expected = a * (np.sign(b) if signed else b != 0)
    np.testing.assert_array_equal(logic.evaluate({"x": a, "y": b})["product"], expected)
    assert all(op.opcode != 7 for op in logic.logic.ops), "no multiplier"


def test_a_table_is_read_by_an_index():
    table = np.arange(10.0).reshape(5, 2) ** 2
    index = Symbolic.inputs((1,), Quantiser(3, False, 0))
    logic = circuit({"n": index}, {"row": Symbolic(table)[index.astype(np.intp)]})
    np.testing.assert_array_equal(logic.evaluate({"n": np.arange(5.0)})["row"], table)


def test_entries_of_a_table_keep_all_of_their_bits():
    """alkaid holds tables in float32, but a bias plus half a unit of a coarse grid may have more bits."""
    table = np.array([[-(2.0**20) - 2.0**-20], [0.0], [2.0**20 + 2.0**-20], [2.0**-20], [3.0]])
    index = Symbolic.inputs((1,), Quantiser(3, False, 0))
    logic = circuit({"n": index}, {"row": Symbolic(table)[index.astype(np.intp)]})
    np.testing.assert_array_equal(logic.evaluate({"n": np.arange(5.0)})["row"], table)

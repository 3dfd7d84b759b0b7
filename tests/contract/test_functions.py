"""A stock onnxruntime, without qonnx or this package, computes the same integers through the function bodies."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from random_networks import NETWORKS, inner_tensors, network_id, random_description, random_ports

from nanopelican_hls.contract.execution import execute, with_batch_size
from nanopelican_hls.contract.functions import attach_functions
from nanopelican_hls.contract.program import Program
from nanopelican_hls.contract.quant import QUANT_DOMAIN
from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.operators import DOMAIN, OPERATORS
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

STANDARD = ("", "ai.onnx")


def session(model):
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def run_with_onnxruntime(model, port_arrays):
    """Every activation tensor, by adding them to the graph's outputs."""
    ranges = Program.parse(model).ranges
    resized = with_batch_size(Program.parse(model), len(next(iter(port_arrays.values()))))
    inner = [value for value in resized.graph.value_info if value.name in ranges]
    resized.graph.output.extend(inner)
    stock = session(resized)
    names = [output.name for output in stock.get_outputs()]
    arrays = stock.run(names, {f"{name}_in": array for name, array in port_arrays.items()})
    assert set(names) == set(ranges)
    return dict(zip(names, arrays, strict=True))


def assert_equal_everywhere(description, jets=250):
    model = build_program(description).model
    port_arrays = random_ports(description.network, jets, seed=7)
    expected, got = execute(Program.parse(model), port_arrays), run_with_onnxruntime(model, port_arrays)
    for name, value in expected.items():
        np.testing.assert_array_equal(got[name].astype(np.float64), value, err_msg=name)


@pytest.mark.parametrize("tables", [False, True], ids=["constant", "tables"])
@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
class TestEveryForm:
    @pytest.mark.parametrize("rounding", Rounding)
    def test_one_rounding_mode(self, network, tables, rounding):
        assert_equal_everywhere(random_description(network, tables, roundings=[rounding]))

    def test_without_inner_quantisers(self, network, tables):
        assert_equal_everywhere(random_description(network, tables, bits=6, without=inner_tensors(network)))


def test_sixteen_constituents():
    network = NetworkConfig(16, 3, symmetric=False, spurions=Spurions.JET, coordinates=Coordinates.LIGHT_CONE)
    assert_equal_everywhere(random_description(network, tables=True, bits=12), jets=100)


def test_the_file_as_it_is_serves_one_jet():
    description = random_description(NETWORKS[0])
    model = build_program(description).model
    port_arrays = random_ports(description.network, 1, seed=3)
    (logit,) = session(model).run(["logit"], {f"{name}_in": array for name, array in port_arrays.items()})
    assert logit == execute(Program.parse(model), port_arrays)["logit"]


def test_every_node_has_its_body_and_no_body_is_superfluous():
    model = build_program(random_description(NETWORKS[-1], tables=True)).model
    called = {(n.domain, n.op_type, n.overload) for n in model.graph.node if n.domain not in STANDARD}
    there = [(f.domain, f.name, f.overload) for f in model.functions]
    assert sorted(there) == sorted(called)


@pytest.mark.parametrize("network", NETWORKS, ids=network_id)
def test_onnx_infers_the_declared_shapes_through_the_bodies(network):
    model = build_program(random_description(network, tables=True)).model
    declared = {v.name: v.type.tensor_type for v in model.graph.value_info}
    del model.graph.value_info[:]
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    assert {v.name: v.type.tensor_type for v in inferred.graph.value_info} == declared


def test_bodies_use_standard_operators_only():
    model = build_program(random_description(NETWORKS[-1], tables=True)).model
    for function in model.functions:
        assert {node.domain for node in function.node} == {""}
        assert [(v.domain, v.version) for v in function.opset_import] == [("", 17)]
        assert function.name in {"Quant", *OPERATORS}
        assert function.domain == (QUANT_DOMAIN if function.name == "Quant" else DOMAIN)


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize(
    ("bits", "signed", "exponent"),
    [(8, True, 0), (8, False, 3), (24, True, -12), (24, False, 10), (2, True, -3), (1, False, 0), (16, True, 5)],
)
def test_quant_body(bits, signed, exponent, rounding):
    """Ties, both sides of each tie, saturation and huge values."""
    quantiser = Quantiser(bits, signed, exponent, rounding)
    node = helper.make_node(
        "Quant",
        ["x", "scale", "zero", "bits"],
        ["y"],
        domain=QUANT_DOMAIN,
        signed=int(signed),
        narrow=0,
        rounding_mode=rounding.value,
    )
    settings = {"scale": quantiser.scale, "zero": 0.0, "bits": float(bits)}
    initialisers = [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in settings.items()]
    x_info = helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None])
    y_info = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None])
    versions = [helper.make_opsetid("", 17), helper.make_opsetid(QUANT_DOMAIN, 1)]
    model = helper.make_model(
        helper.make_graph([node], "quant", [x_info], [y_info], initialisers), opset_imports=versions, ir_version=10
    )
    attach_functions(model)
    onnx.checker.check_model(model, full_check=True)

    rng = np.random.default_rng(bits)
    quarters = np.arange(-600, 600) * 0.25 * quantiser.scale
    wide = rng.integers(-(2**25), 2**25, 4000) * 0.5 * quantiser.scale
    extreme = [1e300, -1e300, 0.5 - 2**-54, -0.5 + 2**-54, 2.0**52 + 0.5, 2.0**53, -(2.0**52) - 0.5, 0.0, -0.0]
    x = np.concatenate([quarters, np.nextafter(quarters, np.inf), np.nextafter(quarters, -np.inf), wide, extreme])
    (y,) = session(model).run(["y"], {"x": x})
    np.testing.assert_array_equal(y.astype(np.float64), quantiser(x))

"""QONNX execution: exact for every tensor and batch size; and the qonnx package's own tools on the file."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.custom_op import registry
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.cleanup import cleanup_model
from random_networks import (
    NETWORKS,
    inner_tensors,
    network_id,
    numpy_tensors,
    random_description,
    random_ports,
)

from nanopelican_hls.contract import execution, qonnx_adapter
from nanopelican_hls.contract.execution import execute, port_arrays
from nanopelican_hls.contract.program import Program, save_program
from nanopelican_hls.errors import ContractError
from nanopelican_hls.operators import DOMAIN, OPERATORS
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.dataflow import outputs
from nanopelican_hls.topology.export import build_program

FORMS = pytest.mark.parametrize("network", NETWORKS, ids=network_id)
JET = NetworkConfig(4, 2, spurions=Spurions.JET)


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)


@FORMS
@pytest.mark.parametrize("tables", [False, True], ids=["constant", "tables"])
@pytest.mark.parametrize("quantised", [True, False], ids=["quantised", "exact"])
class TestEveryForm:
    def description(self, network, tables, quantised):
        without = () if quantised else inner_tensors(network)
        return random_description(network, tables, bits=8 if quantised else 6, without=without)

    def test_equals_numpy_on_the_dataflow(self, network, tables, quantised):
        description = self.description(network, tables, quantised)
        jets = random_ports(network, 300, seed=11)
        tensors = execute(build_program(description), jets)
        assert_same(tensors, numpy_tensors(description, jets))
        assert all(np.ptp(tensors[name]) > 0 for name in outputs(network))

    def test_values_are_on_their_grids_and_in_their_ranges(self, network, tables, quantised):
        model = build_program(self.description(network, tables, quantised)).model
        ranges = Program.parse(model).ranges
        jets = random_ports(network, 300, seed=12)
        for scale in (1.0, 1e6, -1e6):  # ordinary jets, and ports that saturate at either end
            for name, value in execute(Program.parse(model), {k: scale * v for k, v in jets.items()}).items():
                integers = np.ldexp(value, -ranges[name].exponent)
                assert (integers == np.rint(integers)).all(), name
                assert integers.min() >= ranges[name].low, name
                assert integers.max() <= ranges[name].high, name


class TestBatches:
    def test_chunks_do_not_matter(self, monkeypatch):
        model, jets = build_program(random_description(JET, tables=True)).model, random_ports(JET, 50)
        whole = execute(Program.parse(model), jets)
        monkeypatch.setattr(execution, "CHUNK", 7)
        assert_same(execute(Program.parse(model), jets), whole)

    def test_one_jet_at_a_time(self):
        model, jets = build_program(random_description(JET, tables=True)).model, random_ports(JET, 6)
        whole = execute(Program.parse(model), jets)
        for i in range(6):
            single = execute(Program.parse(model), {name: array[i : i + 1] for name, array in jets.items()})
            assert_same(single, {name: value[i : i + 1] for name, value in whole.items()})

    def test_no_jet(self):
        model = build_program(random_description(JET, tables=True)).model
        tensors = execute(Program.parse(model), random_ports(JET, 0))
        for name, shape in Program.parse(model).shapes.items():
            assert name.endswith("_in") or tensors[name].shape == (0, *shape)

    def test_the_model_is_not_changed(self):
        model = build_program(random_description(JET)).model
        before = model.SerializeToString(deterministic=True)
        execute(Program.parse(model), random_ports(JET, 5))
        assert model.SerializeToString(deterministic=True) == before


class TestPorts:
    @pytest.fixture
    def program(self):
        return build_program(random_description(JET))

    def test_either_name(self, program):
        jets = random_ports(JET, 3)
        assert_same(port_arrays(program, jets), port_arrays(program, {f"{k}_in": v for k, v in jets.items()}))

    def test_other_types_and_orders(self, program):
        jets = random_ports(JET, 3)
        arrays = port_arrays(program, {k: np.asfortranarray(v.astype(np.float32)) for k, v in jets.items()})
        assert all(a.dtype == np.float64 and a.flags.c_contiguous for a in arrays.values())

    def test_missing(self, program):
        jets = random_ports(JET, 3)
        del jets["jet_q_plus"]
        with pytest.raises(ContractError, match="is missing") as caught:
            port_arrays(program, jets)
        assert caught.value.where == "port 'jet_q_plus_in'"
        assert "q_plus_in, q_minus_in" in caught.value.remedy

    def test_shape(self, program):
        jets = random_ports(JET, 3) | {"q_y": np.zeros((3, 5))}
        with pytest.raises(ContractError, match=r"has shape \(3, 5\), expected \(n, 4\)") as caught:
            port_arrays(program, jets)
        assert caught.value.where == "port 'q_y_in'"

    def test_number_of_jets(self, program):
        jets = random_ports(JET, 3) | {"q_y": np.zeros((2, 4))}
        with pytest.raises(ContractError, match="different numbers of jets"):
            port_arrays(program, jets)


class TestQonnx:
    @pytest.mark.parametrize("version", ["adds operators to a domain", "looks a domain up as a module"])
    def test_registers_in_the_way_of_the_installed_version(self, version, monkeypatch):
        """Operators missing from qonnx's registry are registered again, and repeating it is harmless."""
        monkeypatch.setattr(registry, "_OP_REGISTRY", {})
        monkeypatch.setattr(registry, "_DOMAIN_ALIASES", dict(registry._DOMAIN_ALIASES))
        for name in OPERATORS:
            monkeypatch.delattr(qonnx_adapter, name)
        if version != "adds operators to a domain":
            monkeypatch.delattr(registry, "add_op_to_domain")
        qonnx_adapter.register_operators()
        qonnx_adapter.register_operators()
        for name, operator in OPERATORS.items():
            node = helper.make_node(name, [], ["x"], domain=DOMAIN)
            assert registry.getCustomOp(node).operator is operator

    @FORMS
    def test_infers_the_declared_shapes(self, network):
        model = build_program(random_description(network, tables=True)).model
        declared = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.value_info}
        inferred = ModelWrapper(model).transform(InferShapes())
        assert {name: inferred.get_tensor_shape(name) for name in declared} == declared

    @FORMS
    def test_no_node_has_a_tensor_twice(self, network):
        """Other tools trip over it: qonnx 1.0 renames a tensor only once per node."""
        for node in build_program(random_description(network, tables=True)).model.graph.node:
            given = [tensor for tensor in node.input if tensor]
            assert len(given) == len(set(given)), node.name

    def test_files_that_give_the_jet_twice_compute_the_same(self):
        """As exports once were: the jet as particles and as spurion of its mass squared."""
        program = build_program(random_description(JET))
        older = onnx.ModelProto()
        older.CopyFrom(program.model)
        (node,) = (n for n in older.graph.node if n.op_type == "SpurionDot" and len(n.input) == 4)
        node.input.extend([*node.input])
        jets = random_ports(JET, 100)
        assert Program.parse(older).ranges == program.ranges
        assert_same(execute(Program.parse(older), jets), execute(program, jets))

    @FORMS
    def test_cleanup_keeps_the_results(self, network):
        model = build_program(random_description(network, tables=True)).model
        jets = random_ports(network, 100)
        clean = cleanup_model(ModelWrapper(model)).model
        program = Program.parse(clean)
        renamed = dict(zip((port.name for port in program.inputs), jets.values(), strict=True))
        found, expected = execute(program, renamed), execute(Program.parse(model), jets)
        for output, name in zip(program.outputs, outputs(network), strict=True):
            np.testing.assert_array_equal(found[output.tensor], expected[name])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_port_that_is_not_finite_is_refused_by_port_and_jet(value):
    model = build_program(random_description(JET, seed=1)).model
    ports = random_ports(JET, 5, seed=1)
    ports["q_y"][3, 2] = value
    with pytest.raises(ContractError, match=r"port 'q_y_in', jet 3: is -?(nan|inf) at index \[2\]"):
        execute(Program.parse(model), ports)


def test_a_file_is_executed_like_the_program_in_it(tmp_path):
    program, ports = build_program(random_description(JET, seed=1)), random_ports(JET, 5, seed=1)
    save_program(program, tmp_path / "a.onnx")
    assert_same(execute(tmp_path / "a.onnx", ports), execute(program, ports))
    assert_same(execute(str(tmp_path / "a.onnx"), ports), execute(program, ports))
    with pytest.raises(ContractError, match="cannot be read"):
        execute(tmp_path / "b.onnx", ports)


def test_only_activations_get_the_batch_size():
    resized = execution.with_batch_size(build_program(random_description(JET, seed=1)), 7)
    sizes = {v.name: v.type.tensor_type.shape.dim[0].dim_value for v in resized.graph.value_info}
    assert sizes["z"] == sizes["d"] == 7
    assert sizes["w_d"] == JET.channels

"""Files that other tools have touched execute to the same integers, or are refused by name."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnx.version_converter
import onnxruntime
import pytest
from google.protobuf import text_format
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation import general
from qonnx.transformation.fold_constants import FoldConstants
from qonnx.transformation.infer_datatypes import InferDataTypes
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.remove import RemoveIdentityOps
from qonnx.util.cleanup import cleanup_model
from random_networks import random_description, random_ports
from zoo_models import of_the_zoo

from nanopelican_hls.contract.execution import execute, with_batch_size
from nanopelican_hls.contract.program import Program, read_model, save_program
from nanopelican_hls.contract.quant import QUANT_DOMAIN
from nanopelican_hls.errors import ContractError
from nanopelican_hls.operators import DOMAIN
from nanopelican_hls.proof.hostile import hostile_events
from nanopelican_hls.topology.config import NetworkConfig, Spurions
from nanopelican_hls.topology.export import build_program

MODELS = Path(__file__).parents[2] / "models"
JET = NetworkConfig(4, 2, spurions=Spurions.JET)


def transformed(*transformations):
    def apply(model, folder):  # noqa: ARG001
        wrapped = ModelWrapper(model)
        for transformation in transformations:
            wrapped = wrapped.transform(transformation())
        return wrapped.model

    return apply


def converted(version):
    return lambda model, folder: onnx.version_converter.convert_version(model, version)  # noqa: ARG005


def optimised(model, folder):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model.SerializeToString(), options)
    return read_model(folder / "optimised.onnx")


def with_external_data(model, folder):
    path = folder / "external.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return read_model(path)


def as_text(model, folder):  # noqa: ARG001
    return text_format.Parse(text_format.MessageToString(model), onnx.ModelProto())


def without_value_info(model, folder):  # noqa: ARG001
    del model.graph.value_info[:]
    return model


def with_repeated_value_info(model, folder):  # noqa: ARG001
    model.graph.value_info.extend([*model.graph.output, *model.graph.value_info[:3], *model.graph.input])
    return model


def with_float32_everywhere(model, folder):  # noqa: ARG001
    """Types in which the sums between quantisers would be rounded."""
    for value in (*model.graph.input, *model.graph.value_info, *model.graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT
    return model


def in_the_domain_ai_onnx(model, folder):  # noqa: ARG001
    for node in model.graph.node:
        node.domain = node.domain or "ai.onnx"
    for version in model.opset_import:
        version.domain = version.domain or "ai.onnx"
    return model


def of_a_future_opset(model, folder):  # noqa: ARG001
    model.ir_version = 99
    next(v for v in model.opset_import if not v.domain).version = 99
    return model


def with_constant_nodes(model, folder):  # noqa: ARG001
    nodes = [
        helper.make_node("Constant", [], [i.name], value=i, name=f"{i.name}_node") for i in model.graph.initializer
    ]
    del model.graph.initializer[:]
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])
    return model


def with_constant_nodes_of_numbers(model, folder):  # noqa: ARG001
    scalars = [i for i in model.graph.initializer if not i.dims]
    for i in scalars:
        model.graph.node.insert(
            0, helper.make_node("Constant", [], [i.name], value_float=float(numpy_helper.to_array(i)))
        )
        model.graph.initializer.remove(i)
    return model


def without_names(model, folder):  # noqa: ARG001
    for node in model.graph.node:
        node.name = ""
    return model


def of_one_name(model, folder):  # noqa: ARG001
    for node in model.graph.node:
        node.name = "node"
    return model


def with_integers(kind):
    def apply(model, folder):  # noqa: ARG001
        used = {t for node in model.graph.node if node.op_type == "Quant" for t in (node.input[2], node.input[3])}
        for i in model.graph.initializer:
            if i.name in used:
                i.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(i).astype(kind), i.name))
        return model

    return apply


def with_wide_constants(model, folder):  # noqa: ARG001
    for i in model.graph.initializer:
        i.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(i).astype(np.float64), i.name))
    return model


def with_dead_nodes(model, folder):  # noqa: ARG001
    """A result that nobody needs, and another that only it needs."""
    model.graph.node.append(helper.make_node("Relu", ["z"], ["unused"], name="unused"))
    model.graph.node.append(helper.make_node("Relu", ["unused"], ["unused_too"], name="unused_too"))
    return model


TOOLS = {
    "qonnx-cleanup": lambda model, folder: cleanup_model(ModelWrapper(model)).model,  # noqa: ARG005
    "GiveUniqueNodeNames": transformed(general.GiveUniqueNodeNames),
    "GiveReadableTensorNames": transformed(general.GiveUniqueNodeNames, general.GiveReadableTensorNames),
    "GiveRandomTensorNames": transformed(general.GiveRandomTensorNames),
    "GiveUniqueParameterTensors": transformed(general.GiveUniqueParameterTensors),
    "InferShapes": transformed(InferShapes),
    "InferDataTypes": transformed(InferDataTypes),
    "FoldConstants": transformed(FoldConstants),
    "RemoveUnusedTensors": transformed(general.RemoveUnusedTensors),
    "RemoveStaticGraphInputs": transformed(general.RemoveStaticGraphInputs),
    "RemoveIdentityOps": transformed(RemoveIdentityOps),
    "SortGraph": transformed(general.SortGraph),
    "onnx shape inference": lambda model, folder: onnx.shape_inference.infer_shapes(model, data_prop=True),  # noqa: ARG005
    "onnx version converter, up": converted(21),
    "onnx version converter, down": converted(15),
    "onnxruntime, basic": optimised,
    "external data": with_external_data,
    "text format": as_text,
    "no value_info": without_value_info,
    "repeated value_info": with_repeated_value_info,
    "float32 declared": with_float32_everywhere,
    "ai.onnx": in_the_domain_ai_onnx,
    "future opset": of_a_future_opset,
    "Constant nodes": with_constant_nodes,
    "Constant nodes of numbers": with_constant_nodes_of_numbers,
    "unnamed nodes": without_names,
    "nodes of one name": of_one_name,
    "int8 settings": with_integers(np.int8),
    "uint8 settings": with_integers(np.uint8),
    "uint64 settings": with_integers(np.uint64),
    "float64 constants": with_wide_constants,
    "dead nodes": with_dead_nodes,
}


#: models of a form that another one has
REPEATED = {"paper-n16-c1", "paper-n16-c3", "paper-n20-c2", "trigger-n16-c4", "trigger-n16-plain", "trigger-n6"}


@pytest.fixture(
    scope="module",
    params=of_the_zoo(but=REPEATED),
)
def case(request):
    """The model, hostile events and what they give."""
    program = Program.parse(read_model(MODELS / f"{request.param}.onnx"))
    ports = hostile_events(program, lambda ports: execute(program, ports), 100, seed=4).ports
    tensors = execute(program, ports)
    return program, ports, [tensors[port.tensor] for port in program.outputs]


#: with their messages: refused in every model, rather than executed
REFUSED = {"onnxruntime, basic": "unknown operator"}


@pytest.mark.parametrize("tool", TOOLS)
def test_same_integers_or_refused_by_name(tool, case, tmp_path):
    program, ports, expected = case
    touched = TOOLS[tool](copy.deepcopy(program.model), tmp_path)
    if tool in REFUSED:
        with pytest.raises(ContractError, match=REFUSED[tool]) as caught:
            Program.parse(touched)
        assert caught.value.where
        assert caught.value.remedy
        return
    found = Program.parse(touched)
    # tools rename ports, but keep their order
    given = dict(zip((port.name for port in found.inputs), ports.values(), strict=True))
    tensors = execute(found, given)
    for port, logits in zip(found.outputs, expected, strict=True):
        np.testing.assert_array_equal(tensors[port.tensor], logits)
    assert found.ranges.keys() == {t for t in found.shapes if t not in given}


@pytest.mark.parametrize("tool", [name for name in TOOLS if name not in REFUSED])
def test_bodies_and_declarations_are_put_back(tool, tmp_path):
    """What is saved runs in a stock onnxruntime again, and is its own normal form."""
    program = build_program(random_description(JET, tables=True))
    found = Program.parse(TOOLS[tool](copy.deepcopy(program.model), tmp_path))
    onnx.checker.check_model(found.model)
    jets = random_ports(JET, 20)
    given = dict(zip((port.name for port in found.inputs), jets.values(), strict=True))
    session = onnxruntime.InferenceSession(with_batch_size(found, 20).SerializeToString())
    (logit,) = session.run([found.outputs[0].name], given)
    np.testing.assert_array_equal(logit, execute(program, jets)["logit"])
    save_program(found, tmp_path / "again.onnx")
    assert Program.parse(read_model(tmp_path / "again.onnx")).model == found.model


def test_parsing_leaves_the_model_alone():
    model = with_constant_nodes(build_program(random_description(JET)).model, None)
    before = model.SerializeToString(deterministic=True)
    Program.parse(model)
    assert model.SerializeToString(deterministic=True) == before


def test_dead_nodes_are_named(caplog):
    Program.parse(with_dead_nodes(build_program(random_description(JET)).model, None))
    assert "node 'unused' (Relu): nothing needs its result; left out" in caplog.text
    assert "'unused_too'" in caplog.text


@pytest.mark.parametrize("attributes", [{"value_string": "eight"}, {}, {"value_float": 1.0, "value_int": 1}])
def test_constants_without_a_number(attributes):
    model = build_program(random_description(JET)).model
    model.graph.node.insert(0, helper.make_node("Constant", [], ["r_scale"], name="c", **attributes))
    with pytest.raises(ContractError, match=r"node 'c' \(Constant\): is a Constant with") as caught:
        Program.parse(model)
    assert caught.value.remedy


def test_qonnx_executes_the_file_without_us(tmp_path):
    """qonnx-exec imports a module named like the domain."""
    program = build_program(random_description(JET))
    save_program(program, tmp_path / "m.onnx")
    command = f"""
import numpy as np
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
ports = dict(np.load({str(tmp_path / "ports.npz")!r}))
print(repr(execute_onnx(ModelWrapper({str(tmp_path / "m.onnx")!r}), ports)["logit"].tolist()))
"""
    jets = {f"{name}_in": array for name, array in random_ports(JET, 1).items()}
    np.savez(tmp_path / "ports.npz", **jets)
    result = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == repr(execute(program, jets)["logit"].tolist()), result.stderr


def test_attributes_that_are_given_twice_or_without_a_type():
    for change, message in ((_repeat, "twice"), (_untype, "no type")):
        model = build_program(random_description(JET)).model
        change(next(n for n in model.graph.node if n.domain == QUANT_DOMAIN).attribute)
        with pytest.raises(ContractError, match=message):
            Program.parse(model)
        model = build_program(random_description(JET)).model
        change(next(n for n in model.graph.node if n.domain == DOMAIN and n.attribute).attribute)
        with pytest.raises(ContractError, match=message):
            Program.parse(model)


def _repeat(attributes):
    attributes.add().CopyFrom(attributes[0])


def _untype(attributes):
    attributes[0].ClearField("type")

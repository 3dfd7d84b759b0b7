"""Conversion through hls4ml's own API, after `register()` and nothing else."""

from __future__ import annotations

import contextlib
import copy
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hls_models import MODELS
from random_networks import random_ports

from nanopelican_hls.contract.execution import execute
from nanopelican_hls.errors import ContractError, FirmwareError
from nanopelican_hls.hls import convert, register

MODEL = MODELS["jet"]


def read(graph, name):
    return (Path(graph.config.get_output_dir()) / name).read_text()


def hls4ml_config(model, granularity):
    register()
    from hls4ml.utils import config_from_onnx_model

    with contextlib.redirect_stdout(io.StringIO()):
        return config_from_onnx_model(model, granularity=granularity, backend="Vitis", default_precision="fixed<7,3>")


@pytest.mark.parametrize("granularity", [None, "model", "name", "type"])
def test_types_are_exact_whatever_the_configuration_asks_for(hls4ml_convert, granularity):
    model = MODEL.onnx()
    defaults = read(hls4ml_convert(model), "firmware/defines.h")
    config = hls4ml_config(model, granularity) if granularity else None
    graph = hls4ml_convert(model, hls_config=config)
    tables = re.compile(r"typedef .*(table_t|model_default_t);\n")  # not used by relu and linear
    assert tables.sub("", read(graph, "firmware/defines.h")) == tables.sub("", defaults)
    assert "input_t;" in defaults
    assert "model_default_t" not in read(graph, "firmware/myproject.cpp")


def test_port_type_is_its_quantiser(hls4ml_convert):
    model = MODEL.onnx()
    graph = hls4ml_convert(model)
    (node,) = [n for n in model.graph.node if n.output[0] == "q_plus"]
    rounding = next(a.s.decode() for a in node.attribute if a.name == "rounding_mode")
    mode = {"ROUND": "AP_RND_CONV", "FLOOR": "AP_TRN"}[rounding]
    assert re.search(rf"typedef ap_ufixed<8,-?\d+,{mode},AP_SAT,0> input_t;", read(graph, "firmware/defines.h"))


def test_predict_and_trace_of_hls4ml(hls4ml_convert):
    small = MODELS["plain-laboratory"]
    model = small.onnx()
    config = hls4ml_config(model, "name")
    for layer in config["LayerName"].values():
        layer["Trace"] = True
    graph = hls4ml_convert(model, hls_config=config, write=False)
    ports = random_ports(small.network, 60)
    arrays = [np.ascontiguousarray(a) for a in ports.values()]
    with contextlib.redirect_stdout(io.StringIO()):
        output, tensors = graph.trace(arrays)
        np.testing.assert_array_equal(graph.predict(arrays), output)
    reference = execute(small.program(), ports)
    assert set(tensors) == set(reference) - set(ports)
    np.testing.assert_array_equal(output.ravel(), reference["logit"].ravel())
    for name, values in tensors.items():
        np.testing.assert_array_equal(values, reference[name], err_msg=name)


def test_reuse_factor_reaches_config_and_pragmas(hls4ml_convert):
    model = MODEL.onnx()
    config = {"Model": {"ReuseFactor": 2}, "LayerName": {"z": {"ReuseFactor": 6}}}
    graph = hls4ml_convert(model, hls_config=config)
    structs = dict(
        re.findall(
            r"// (\w+)\nstruct config\d+ : nnet::\w+_config {\n(.*?)};", read(graph, "firmware/parameters.h"), re.S
        )
    )
    assert "static const unsigned reuse_factor = 6;" in structs["z"]
    assert "static const unsigned n_multiplications = 20;" in structs["z"]
    assert "static const unsigned multiplier_limit = DIV_ROUNDUP(n_multiplications, reuse_factor);" in structs["z"]
    assert "static const unsigned reuse_factor = 2;" in structs["d_exact"]
    assert "#pragma HLS PIPELINE II=6\n" in read(graph, "firmware/myproject.cpp")
    header = read(graph, "firmware/nnet_utils/nnet_pair_mix.h")
    assert "#pragma HLS PIPELINE II=CONFIG_T::reuse_factor" in header
    assert "#pragma HLS ALLOCATION operation instances=mul limit=CONFIG_T::multiplier_limit" in header


def test_own_interval_is_kept(hls4ml_convert):
    config = {"Model": {"ReuseFactor": 2, "PipelineStyle": "pipeline", "PipelineInterval": 3}}
    graph = hls4ml_convert(MODEL.onnx(), hls_config=config)
    assert "#pragma HLS PIPELINE II=3\n" in read(graph, "firmware/myproject.cpp")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"io_type": "io_stream"}, "io_type: 'io_stream' is not supported: .*\n  remedy: use io_parallel"),
        ({"backend": "Quartus"}, "the backend 'Quartus' is not supported\n  remedy: use Vitis or Vivado"),
        ({"hls_config": {"Model": {"Strategy": "Resource"}}}, "layer .*the strategy 'resource' is not supported"),
        ({"hls_config": {"LayerName": {"d_exakt": {}}}}, "hls_config: LayerName: unknown key .*\n.* mean 'd_exact'?"),
        (
            {"hls_config": {"LayerName": {"z": {"ReuseFacter": 2}}}},
            "LayerName: z: unknown key .*\n.* mean 'ReuseFactor'?",
        ),
        ({"hls_config": {"Model": {"Pipeline": 2}}}, "hls_config: Model: unknown key 'Pipeline'"),
        ({"hls_config": {"LayerName": {"z": {"ReuseFactor": 0}}}}, "layer 'z': ReuseFactor must be at least 1, not 0"),
    ],
)
def test_unsupported_settings_are_refused(hls4ml_convert, options, message):
    with pytest.raises(FirmwareError, match=message):
        hls4ml_convert(MODEL.onnx(), **options)


def test_model_outside_the_contract_is_refused_by_the_contract(hls4ml_convert):
    model = MODEL.onnx()
    scale = next(i for i in model.graph.initializer if i.name == "d_scale")
    scale.CopyFrom(onnx.numpy_helper.from_array(np.float32(0.3), "d_scale"))
    with pytest.raises(ContractError, match=r"node 'd_quant' .* scale 0\.3 is not a power of two"):
        hls4ml_convert(model)


def test_unknown_operator_is_named(hls4ml_convert):
    model = MODEL.onnx()
    next(n for n in model.graph.node if n.op_type == "PairMix").op_type = "PairMixer"
    with pytest.raises(ContractError, match=r"unknown operator.*\n  remedy: did you mean PairMix"):
        hls4ml_convert(model)


def test_port_with_two_quantisers_has_no_type(hls4ml_convert):
    model = MODEL.onnx()
    second = copy.deepcopy(next(n for n in model.graph.node if n.output[0] == "q_plus"))
    second.name, second.output[0] = "again_quant", "again"
    model.graph.node.insert(1, second)
    model.graph.value_info.append(onnx.helper.make_tensor_value_info("again", onnx.TensorProto.FLOAT, (1, 4)))
    with pytest.raises(ContractError, match="port 'q_plus_in': has a second quantiser, 'again_quant'"):
        hls4ml_convert(model)


def test_an_output_of_two_axes_is_refused(hls4ml_convert):
    model = MODEL.onnx()
    model.graph.output.append(next(v for v in model.graph.value_info if v.name == "diagonal"))
    message = r"graph output 'diagonal': has shape \(5, 2\), expected .*\n  remedy: output only tensors"
    with pytest.raises(FirmwareError, match=message):
        hls4ml_convert(model)


def rename(model, names):
    """A copy of a model with renamed tensors."""
    renamed = onnx.ModelProto()
    renamed.CopyFrom(model)
    for node in renamed.graph.node:
        node.input[:] = [names.get(t, t) for t in node.input]
        node.output[:] = [names.get(t, t) for t in node.output]
    for value in (*renamed.graph.input, *renamed.graph.value_info, *renamed.graph.output):
        value.name = names.get(value.name, value.name)
    return renamed


def test_names_of_other_exporters_become_names_of_cpp(hls4ml_convert):
    """Names as PyTorch writes them, and names that hls4ml or C++ reserve."""
    names = {"q_plus_in": "input", "q_y_in": "input.1", "z": "/net/pair.Mix_output", "d": "0", "pair_exact": "1"}
    graph = hls4ml_convert(rename(MODEL.onnx(), names))
    assert [v.name for v in graph.get_input_variables()][:3] == ["_input", "q_minus_in", "input_1"]
    path = Path(graph.config.get_output_dir())
    command = ["g++", "-std=c++11", "-w", "-fsyntax-only", "-Ifirmware/ap_types"]
    for source in ("firmware/myproject.cpp", "myproject_test.cpp"):
        subprocess.run([*command, source], cwd=path, check=True)


def test_two_tensors_of_one_name_in_cpp(hls4ml_convert):
    model = rename(MODEL.onnx(), {"r": "x.1", "s": "x/1"})
    with pytest.raises(FirmwareError, match=r"tensor 'x/1': has the same name in C\+\+ as 'x\.1'"):
        hls4ml_convert(model)


ORDINARY = """
import contextlib, io, sys
from pathlib import Path
import numpy as np
from onnx import TensorProto, helper, numpy_helper
import hls4ml
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes

def value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

def constant(name, array):
    return numpy_helper.from_array(np.asarray(array, dtype=np.float32), name)

settings = {"scale": 0.25, "zero": 0.0, "bits": 6.0}
constants = [constant("w", np.linspace(-1, 1, 6).reshape(2, 3))]
constants += [constant(t + k, v) for t in ("x_", "w_") for k, v in settings.items()]
quant = dict(domain="qonnx.custom_op.general", signed=1, narrow=0, rounding_mode="ROUND")
nodes = [
    helper.make_node("Quant", ["x", *("x_" + k for k in settings)], ["xq"], name="x_quant", **quant),
    helper.make_node("Quant", ["w", *("w_" + k for k in settings)], ["wq"], name="w_quant", **quant),
    helper.make_node("MatMul", ["xq", "wq"], ["y"], name="dense"),
    helper.make_node("Relu", ["y"], ["z"], name="relu"),
]
graph = helper.make_graph(nodes, "dense", [value("x", (1, 2))], [value("z", (1, 3))], constants)
opsets = [helper.make_opsetid("", 17), helper.make_opsetid("qonnx.custom_op.general", 1)]
wrapper = ModelWrapper(helper.make_model(graph, opset_imports=opsets))
for c in constants:
    wrapper.set_initializer(c.name, numpy_helper.to_array(c))
model = wrapper.transform(InferShapes()).model

def files(backend, folder):
    with contextlib.redirect_stdout(io.StringIO()):
        config = hls4ml.utils.config_from_onnx_model(model, granularity="name", backend=backend)
        hls_model = hls4ml.converters.convert_from_onnx_model(
            model, hls_config=config, backend=backend, output_dir=f"{folder}/hls"
        )
        hls_model.write()
    stamp = hls_model.config.get_config_value("Stamp")
    paths = sorted(p for p in Path(folder).rglob("*") if p.is_file())
    text = {p.relative_to(folder).as_posix(): p.read_bytes().replace(stamp.encode(), b"stamp") for p in paths}
    # YAML quotes a stamp that looks like a number
    return {n: body.replace(folder.encode(), b"folder").replace(b"'stamp'", b"stamp") for n, body in text.items()}

root = sys.argv[1]
before = {b: files(b, f"{root}/before-{b}") for b in ("Vitis", "Vivado")}
import nanopelican_hls.hls
nanopelican_hls.hls.register()
nanopelican_hls.hls.register()
after = {b: files(b, f"{root}/after-{b}") for b in ("Vitis", "Vivado")}
for backend in before:
    assert "hls/firmware/myproject.cpp" in before[backend]
    names = before[backend].keys() | after[backend].keys()
    differ = [n for n in names if before[backend].get(n) != after[backend].get(n)]
    assert not differ, (backend, differ)
"""


def test_registration_leaves_ordinary_models_alone(tmp_path):
    """Runs in a new process, in order to start before the registration."""
    result = subprocess.run(
        [sys.executable, "-c", ORDINARY, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_a_saved_model_is_read_back(tmp_path):
    """hls4ml saves models without their QONNX file; with it, the project is the same."""
    from hls4ml.utils.serialization import deserialize_model, serialize_model

    firmware = convert(MODELS["jet"].program(), tmp_path / "hls")
    serialize_model(firmware.model, tmp_path / "saved.fml")
    loaded = deserialize_model(tmp_path / "saved.fml")
    loaded.config.config["OutputDir"] = str(tmp_path / "again")
    with pytest.raises(FirmwareError, match="lacks the QONNX file") as caught:
        loaded.write()
    assert "OnnxModel" in caught.value.remedy
    loaded.config.config["OnnxModel"] = str(tmp_path / "hls" / "model.onnx")
    loaded.write()
    sources = [p.relative_to(tmp_path / "hls") for p in (tmp_path / "hls" / "firmware").glob("**/*.[ch]*")]
    assert len(sources) > 20
    for source in sources:
        assert (tmp_path / "again" / source).read_bytes() == (tmp_path / "hls" / source).read_bytes(), source

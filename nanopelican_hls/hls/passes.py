"""Our passes in hls4ml's flows; they leave models without our operators unchanged."""

from __future__ import annotations

import difflib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import onnx
from hls4ml.model.optimizer import ModelOptimizerPass

from nanopelican_hls.contract.port import Port
from nanopelican_hls.contract.program import Program, read_model
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import make_writable, write_atomically
from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.hls.layers import OperatorLayer, exact_type, layer_name, quantiser_type
from nanopelican_hls.hls.sources import batch_bridge, test_bench
from nanopelican_hls.hls.templates import headers, render
from nanopelican_hls.operators import DOMAIN, OPERATORS

#: backends that the templates support
BACKENDS = ("Vitis", "Vivado")
#: settings of an hls4ml configuration: those of ``config_from_onnx_model``, and those that hls4ml documents
LAYER_SETTINGS = ("Precision", "ReuseFactor", "Strategy", "TableSize", "TargetCycles", "Trace")
MODEL_SETTINGS = (
    "BramFactor",
    "Compression",
    "ConvImplementation",
    "PipelineInterval",
    "PipelineStyle",
    "Precision",
    "ReuseFactor",
    "Strategy",
    "TargetCycles",
    "TraceOutput",
)
#: written last: if it is missing or empty, the project is incomplete
MANIFEST = "nanopelican.json"


def has_operators(model: onnx.ModelProto) -> bool:
    """Whether a model has operators of the contract, and so must satisfy it."""
    return any(node.domain == DOMAIN or node.op_type in OPERATORS for node in model.graph.node)


#: the program that `hls.convert` passes to our hooks in hls4ml, which itself only receives the file
converting: ContextVar[Program | None] = ContextVar("converting", default=None)
#: the program of each hls4ml model, by its configuration; every pass needs it
_programs: WeakKeyDictionary[Any, Program] = WeakKeyDictionary()


def program_of(model: Any) -> Program | None:
    """The program of an hls4ml ``ModelGraph``; None if it has no operators of the contract."""
    if model.config not in _programs:
        program = converting.get() or _read_program(model)
        if program is None:
            return None
        _programs[model.config] = program
    return _programs[model.config]


def _read_program(model: Any) -> Program | None:
    source = model.config.get_config_value("OnnxModel")
    if source is None:
        return None
    source = read_model(source) if isinstance(source, str) else source
    return Program.parse(source) if has_operators(source) else None


class ContractPass(ModelOptimizerPass):  # type: ignore[misc]
    """A pass for models of the contract only."""

    def __init__(self) -> None:
        self.name = type(self).__name__

    def transform(self, model: Any) -> bool:
        program = program_of(model)
        if program is not None:
            self.apply(model, program)
        return False

    def apply(self, model: Any, program: Program) -> None:
        raise NotImplementedError


class NanopelicanTypes(ContractPass):
    """Sets the exact type of every tensor, whatever the precision in the hls4ml configuration."""

    def apply(self, model: Any, program: Program) -> None:
        _check_settings(model)
        types = {layer_name(port.name): quantiser_type(port.quantiser) for port in program.inputs}
        types |= {
            layer_name(tensor): exact_type(values, _rounded_bits(program, tensor))
            for tensor, values in program.ranges.items()
        }
        types |= {layer_name(tensor): quantiser_type(q) for tensor, q in program.quantisers.items()}
        for layer in model.get_layers():
            layer.get_output_variable().type.precision = types[layer.name]


def _rounded_bits(program: Program, tensor: str) -> int:
    """Least width of a tensor that is rounded: ap_types read its bit just below the new grid, even beyond its range."""
    exponents = [
        node.quantiser.exponent
        for node in program.nodes
        if node.quantiser and node.quantiser.rounding is Rounding.ROUND and node.inputs[0] == tensor
    ]
    return max(exponents, default=program.exponent(tensor)) - program.exponent(tensor)


def _check_settings(model: Any) -> None:
    backend, io_type = model.config.backend.name, model.config.get_config_value("IOType")
    if backend not in BACKENDS:
        raise FirmwareError(
            f"the backend {backend!r} is not supported", where="backend", remedy=f"use {' or '.join(BACKENDS)}"
        )
    if io_type != "io_parallel":
        raise FirmwareError(
            f"{io_type!r} is not supported: a whole jet enters in one clock cycle",
            where="io_type",
            remedy="use io_parallel",
        )
    for layer in model.get_layers():
        strategy = model.config.get_strategy(layer)
        if strategy.lower() != "latency":
            raise FirmwareError(
                f"the strategy {strategy!r} is not supported", where=f"layer {layer.name!r}", remedy="use Latency"
            )
        reuse_factor = model.config.get_reuse_factor(layer)
        if not isinstance(reuse_factor, int) or reuse_factor < 1:
            raise FirmwareError(
                f"ReuseFactor must be at least 1, not {reuse_factor!r}",
                where=f"layer {layer.name!r}",
                remedy="use 1 or more",
            )
    # hls4ml ignores unknown keys
    settings = model.config.get_config_value("HLSConfig")
    names = [layer.name for layer in model.get_layers()]
    check_keys(settings.get("Model", {}), MODEL_SETTINGS, "hls_config: Model")
    check_keys(settings.get("LayerName", {}), names, "hls_config: LayerName")
    for name, layer_settings in settings.get("LayerName", {}).items():
        check_keys(layer_settings, LAYER_SETTINGS, f"hls_config: LayerName: {name}")


def check_keys(settings: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Refuse a key that would have no effect."""
    for key in settings:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
            raise FirmwareError(f"unknown key {key!r}", where=where, remedy=f"did you mean {near[0]!r}?")


class NanopelicanInterval(ContractPass):
    """Sets the initiation interval of the firmware to the largest reuse factor, unless the configuration sets it."""

    def apply(self, model: Any, program: Program) -> None:  # noqa: ARG002
        if model.config.pipeline_ii is None:
            model.config.pipeline_ii = max(
                int(layer.get_attr("reuse_factor")) for layer in model.get_layers() if isinstance(layer, OperatorLayer)
            )


def begin_project(path: Path) -> None:
    """Create a project folder marked as incomplete."""
    path.mkdir(parents=True, exist_ok=True)
    (path / MANIFEST).write_text("{}\n", encoding="utf-8")


class NanopelicanBeginProject(ContractPass):
    """Marks the project as incomplete before hls4ml writes."""

    def transform(self, model: Any) -> bool:
        if program_of(model) is None and any(isinstance(layer, OperatorLayer) for layer in model.get_layers()):
            raise FirmwareError(
                "was loaded from a saved model (.fml), which lacks the QONNX file",
                where=model.config.get_project_name(),
                remedy='set model.config.config["OnnxModel"] to the path of the QONNX file, model.onnx in its project',
            )
        return super().transform(model)

    def apply(self, model: Any, program: Program) -> None:  # noqa: ARG002
        begin_project(Path(model.config.get_output_dir()))


class NanopelicanFinishProject(ContractPass):
    """Adds our headers, test bench and batch bridge after hls4ml has written, and finally the manifest."""

    def apply(self, model: Any, program: Program) -> None:
        path, project = Path(model.config.get_output_dir()), model.config.get_project_name()
        make_writable(path)  # hls4ml copies the modes of its own files, and the next project replaces this one
        for header in headers():
            shutil.copyfile(header, path / "firmware" / "nnet_utils" / header.name)
        manifest = describe(model, program)
        (path / f"{project}_test.cpp").write_text(test_bench(model, manifest), encoding="utf-8")
        (path / f"{project}_batch.cpp").write_text(batch_bridge(model, manifest), encoding="utf-8")
        script = path / "run_testbench.sh"
        script.write_text(render("run_testbench.sh", project=project), encoding="utf-8")
        script.chmod(0o755)
        write_atomically(path / MANIFEST, json.dumps(manifest, indent=1) + "\n", FirmwareError)


def describe(model: Any, program: Program) -> dict[str, Any]:
    """Manifest of a project, for Python: names, shapes and grids, in the order of the C++ code."""
    layers = {layer.name for layer in model.get_layers() if model.config.trace_output and layer.get_attr("trace")}
    port_tensors = [port.tensor for port in program.inputs]
    # besides the ports, only traced tensors: hls4ml removes quantisers that change nothing
    tensors = port_tensors + [t for t in program.ranges if layer_name(t) in layers]
    variables = [variable.name for variable in model.get_output_variables()]
    return {
        "project": model.config.get_project_name(),
        "ports": {port.name: _format(port, layer_name(port.name)) for port in program.inputs},
        "outputs": {
            port.name: _format(port, variable) for port, variable in zip(program.outputs, variables, strict=True)
        },
        "tensors": {t: program.shapes[t] for t in tensors},
    }


def _format(port: Port, variable: str) -> dict[str, Any]:
    return {
        "variable": variable,
        "tensor": port.tensor,
        "shape": port.shape,
        "bits": port.bits,
        "signed": port.signed,
        "exponent": port.exponent,
    }

"""Registration with hls4ml, so that it reads, types and writes models of the contract."""

from __future__ import annotations

import functools
import importlib
from typing import Any

import hls4ml
import onnx
from hls4ml.backends import get_backend
from hls4ml.model.flow import get_flow, update_flow
from hls4ml.model.layers import register_layer
from hls4ml.model.optimizer import register_pass

from nanopelican_hls.contract.program import Program
from nanopelican_hls.hls.layers import OperatorConfigTemplate, OperatorFunctionTemplate, layer_class, layer_list
from nanopelican_hls.hls.passes import (
    BACKENDS,
    NanopelicanBeginProject,
    NanopelicanFinishProject,
    NanopelicanInterval,
    NanopelicanTypes,
    converting,
    has_operators,
)
from nanopelican_hls.operators import OPERATORS, CustomOperator


def register() -> None:
    """Register all operators defined so far with hls4ml, for this process; safe to repeat.

    Afterwards ``hls4ml.converters.convert_from_onnx_model`` and ``hls4ml.utils.config_from_onnx_model`` accept models
    of the contract. The conversion of all other models is unchanged.
    """
    _register_passes()
    for operator in OPERATORS.values():
        _register_operator(operator)


@functools.cache
def _register_operator(operator: type[CustomOperator]) -> None:
    register_layer(operator.__name__, layer_class(operator))


@functools.cache
def _register_passes() -> None:
    # Vitis uses the templates of Vivado, and all of its flows except the writer
    vivado = get_backend("Vivado")
    vivado.register_template(OperatorConfigTemplate)
    vivado.register_template(OperatorFunctionTemplate)
    # types must be set before hls4ml's own passes compare, merge or infer them
    update_flow("parse_qonnx", add_optimizers=[register_pass("nanopelican_types", NanopelicanTypes)])
    update_flow("vivado:specific_types", add_optimizers=[register_pass("nanopelican_interval", NanopelicanInterval)])
    begin = register_pass("nanopelican_begin_project", NanopelicanBeginProject)
    finish = register_pass("nanopelican_finish_project", NanopelicanFinishProject)
    for backend in BACKENDS:
        flow = get_flow(f"{backend.lower()}:write")
        flow.optimizers.insert(0, begin)
        flow.optimizers.append(finish)
    _read_contracts()


def _read_contracts() -> None:
    """Let hls4ml's ONNX reader pass models of the contract to `Program.parse`.

    Layer handlers, hls4ml's usual mechanism, would be called too late: before that, the reader fails on absent optional
    inputs, initialisers without a declared shape and unknown operators, with messages that name neither place nor
    remedy.
    """
    reader: Any = importlib.import_module("hls4ml.converters.onnx_to_hls")
    read_others = reader.parse_onnx_model

    @functools.wraps(read_others)
    def parse_onnx_model(onnx_model: onnx.ModelProto) -> Any:
        if not has_operators(onnx_model):
            return read_others(onnx_model)
        return layer_list(converting.get() or Program.parse(onnx_model))

    reader.parse_onnx_model = hls4ml.converters.parse_onnx_model = parse_onnx_model

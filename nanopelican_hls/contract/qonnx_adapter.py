"""Registration and execution of the operators in the package qonnx; the only module that depends on its interface.

qonnx up to 1.0 has a function that adds an operator to a domain. Later versions resolve a domain to a module, by name
or alias, and an operator to a class in it; this module then serves as our domain.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import onnx
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op import registry
from qonnx.custom_op.base import CustomOp

from nanopelican_hls.contract import protobuf
from nanopelican_hls.operators import DOMAIN, OPERATORS, CustomOperator


class QonnxOperator(CustomOp):  # type: ignore[misc]  # qonnx is untyped
    """qonnx's view of an operator, derived from the operator's class."""

    operator: ClassVar[type[CustomOperator]]

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        return {
            name: ("s" if isinstance(default, str) else "i", False, default)
            for name, default in self.operator.attributes().items()
        }

    def _call(self) -> CustomOperator:
        return self.operator(**{name: self.get_nodeattr(name) for name in self.operator.attributes()})

    def _inputs(self) -> list[str]:
        return protobuf.padded_inputs(self.onnx_node, self.operator)

    def make_shape_compatible_op(self, model: ModelWrapper) -> onnx.NodeProto:
        shapes = [tuple(model.get_tensor_shape(t)) if t else None for t in self._inputs()]
        node: onnx.NodeProto = self.make_const_shape_op(list(self._call().shape(*shapes)))
        return node

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Nothing to infer: qonnx has no datatypes for the exact values between quantisers."""

    def execute_node(self, context: dict[str, Any], graph: onnx.GraphProto) -> None:  # noqa: ARG002
        # float64 holds every tensor of the contract exactly; Quant returns float32
        arrays = [np.asarray(context[t], dtype=np.float64) if t else None for t in self._inputs()]
        context[self.onnx_node.output[0]] = self._call().compute(*arrays)

    def verify_node(self) -> list[str]:
        return []


def register_operators() -> None:
    """Register all operators defined so far, as the installed qonnx expects; safe to repeat."""
    module = sys.modules[__name__]
    for name, operator in OPERATORS.items():
        if getattr(getattr(module, name, None), "operator", None) is operator:
            continue
        kind = type(name, (QonnxOperator,), {"operator": operator})
        setattr(module, name, kind)
        if hasattr(registry, "add_op_to_domain"):
            registry.add_op_to_domain(DOMAIN, kind)
        else:
            registry.add_domain_alias(DOMAIN, __name__)


def run(model: onnx.ModelProto, inputs: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Execute a model and return every tensor by name; its batch size must match the inputs."""
    register_operators()
    context: dict[str, NDArray[np.float64]] = execute_onnx(
        ModelWrapper(model), dict(inputs), return_full_exec_context=True
    )
    return context


register_operators()

"""QONNX execution of the contract, in float64, by the qonnx package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import onnx
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.custom_op.base import CustomOp
from qonnx.custom_op.registry import add_op_to_domain

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import ContractError
from nanopelican_hls.operators import DOMAIN, OPERATORS, Operator

#: jets per call: bounds the memory of the pair-level arrays
CHUNK = 2048


class _QonnxOperator(CustomOp):  # type: ignore[misc]  # qonnx is untyped
    """What qonnx asks of an operator; all of it follows from the operator's class."""

    operator: ClassVar[type[Operator]]

    def get_nodeattr_types(self) -> dict[str, tuple[str, bool, Any]]:
        return {
            name: ("s" if isinstance(default, str) else "i", False, default)
            for name, default in self.operator.attributes.items()
        }

    def _attributes(self) -> dict[str, Any]:
        return {name: self.get_nodeattr(name) for name in self.operator.attributes}

    def _inputs(self) -> list[str]:
        """Names of all inputs, '' for absent ones."""
        given = list(self.onnx_node.input)
        return given + [""] * (len(self.operator.inputs) - len(given))

    def make_shape_compatible_op(self, model: ModelWrapper) -> onnx.NodeProto:
        shapes = [tuple(model.get_tensor_shape(t)) if t else None for t in self._inputs()]
        node: onnx.NodeProto = self.make_const_shape_op(list(self.operator.shape(*shapes, **self._attributes())))
        return node

    def infer_node_datatype(self, model: ModelWrapper) -> None:
        """Values between quantisers are exact; qonnx's datatypes have no name for them."""

    def execute_node(self, context: dict[str, Any], graph: onnx.GraphProto) -> None:  # noqa: ARG002
        # float64 holds every tensor of the contract exactly; Quant hands over float32
        arrays = [np.asarray(context[t], dtype=np.float64) if t else None for t in self._inputs()]
        context[self.onnx_node.output[0]] = self.operator.compute(*arrays, **self._attributes())

    def verify_node(self) -> list[str]:
        return []


def register_with_qonnx() -> None:
    """Make qonnx know the operators; idempotent, and done when this module is imported."""
    for operator in OPERATORS.values():
        add_op_to_domain(DOMAIN, type(operator.name, (_QonnxOperator,), {"operator": operator}))


register_with_qonnx()


def execute(model: onnx.ModelProto, ports: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Run a model on jets and return every activation tensor by name.

    Parameters
    ----------
    model : onnx.ModelProto
        A model of the contract.
    ports : mapping of str to float64 array [n, ...]
        By the names of the graph inputs, or by the names without ``_in``.

    Returns
    -------
    dict of str to float64 array [n, ...]

    Raises
    ------
    ContractError
        If the model is outside the contract, or a port is missing, of another shape, NaN or infinite.
    """
    program = Program.parse(model)
    arrays = port_arrays(program, ports)
    chunks = [_execute_chunk(model, program, chunk) for chunk in _chunks(arrays)]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in program.ranges}


def port_arrays(program: Program, ports: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """The arrays of a call in the order of the ports, checked, as C-contiguous float64."""
    arrays = {}
    for port, shape in program.ports.items():
        name = port if port in ports else port.removesuffix("_in")
        if name not in ports:
            raise ContractError(
                "is missing", where=f"port {port!r}", remedy=f"give arrays for {', '.join(program.ports)}"
            )
        array = np.ascontiguousarray(ports[name], dtype=np.float64)
        if array.shape[1:] != shape:
            raise ContractError(
                f"has shape {array.shape}, expected (n, {', '.join(map(str, shape))})", where=f"port {port!r}"
            )
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            raise ContractError(
                f"is {array[tuple(bad[0])]} at index {bad[0][1:].tolist()}",
                where=f"port {port!r}, jet {bad[0][0]}",
                remedy="remove the jet: a port takes finite numbers",
            )
        arrays[port] = array
    if len({len(a) for a in arrays.values()}) != 1:
        raise ContractError("ports have different numbers of jets", where=", ".join(arrays))
    return arrays


def _chunks(arrays: Mapping[str, NDArray[np.float64]]) -> Iterator[dict[str, NDArray[np.float64]]]:
    count = len(next(iter(arrays.values())))
    for start in range(0, max(count, 1), CHUNK):
        yield {name: array[start : start + CHUNK] for name, array in arrays.items()}


def _execute_chunk(
    model: onnx.ModelProto, program: Program, ports: dict[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    wrapper = ModelWrapper(with_batch_size(model, len(next(iter(ports.values())))))
    context = execute_onnx(wrapper, ports, return_full_exec_context=True)
    return {name: np.asarray(context[name], dtype=np.float64) for name in program.ranges}


def with_batch_size(model: onnx.ModelProto, batch: int) -> onnx.ModelProto:
    """A copy whose activations have ``batch`` jets (qonnx's own transformation fails on chained custom operators)."""
    program = Program.parse(model)
    resized = onnx.ModelProto()
    resized.CopyFrom(model)
    for value in (*resized.graph.input, *resized.graph.value_info, *resized.graph.output):
        if value.name in program.shapes:
            value.type.tensor_type.shape.dim[0].dim_value = batch
    return resized

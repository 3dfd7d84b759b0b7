"""An operator as nodes of standard ONNX operators, recorded while `Operator.compute` runs.

`compute` alone defines the semantics of an operator. Here it runs on arrays without values that record every operation
through numpy's own protocols (``__array_function__``, NEP 18). So a function body in the file cannot disagree with
what numpy, torch and QONNX execution compute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, DTypeLike, NDArray
from onnx import TensorProto, helper, numpy_helper

#: opset of the standard operators in the bodies, and so of the file
OPSET = 17
#: name of the result in a body
RESULT = "result"

Shape = tuple[int, ...]


class Body:
    """The nodes recorded so far; tensors other than inputs and the result are numbered."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []

    def record(self, op_type: str, inputs: Sequence[str], output: str | None = None, **attributes: Any) -> str:
        """Append a node and return the name of its output."""
        output = output or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, inputs, [output], **attributes))
        return output

    def constant(self, value: ArrayLike, dtype: DTypeLike) -> str:
        """Append a ``Constant`` node and return the name of its output."""
        return self.record("Constant", [], value=numpy_helper.from_array(np.asarray(value, dtype=dtype)))

    def attribute(self, name: str) -> str:
        """Append a ``Constant`` with the value of an integer attribute of the calling node."""
        tensor = self.record("Constant", [])
        self.nodes[-1].attribute.append(
            onnx.AttributeProto(name="value_int", type=onnx.AttributeProto.INT, ref_attr_name=name)
        )
        return tensor

    def cast(self, tensor: str, kind: int) -> str:
        return self.record("Cast", [tensor], to=kind)


class Recorded:
    """An array that records the operations on it.

    Parameters
    ----------
    body : Body
        Where operations are recorded.
    name : str
        Name of the tensor.
    shape : tuple of int
        With a batch axis of 1, although the recorded nodes work for any number of jets.
    """

    __array_ufunc__ = None  # makes numpy defer ``ndarray * Recorded`` to `__rmul__`
    dtype = np.dtype(np.float64)

    def __init__(self, body: Body, name: str, shape: Shape) -> None:
        self.body, self.name, self.shape = body, name, shape

    def _record(self, op_type: str, *inputs: str, shape: Shape, **attributes: Any) -> Recorded:
        return Recorded(self.body, self.body.record(op_type, inputs, **attributes), shape)

    def _operand(self, value: Recorded | ArrayLike) -> Recorded:
        if isinstance(value, Recorded):
            return value
        array = np.asarray(value, dtype=np.float64)
        if (array == np.clip(np.rint(array), -128, 127)).all():
            # in float64, an incidence matrix would take up most of the file
            name = self.body.cast(self.body.constant(array, np.int8), TensorProto.DOUBLE)
        else:
            name = self.body.constant(array, np.float64)
        return Recorded(self.body, name, array.shape)

    def _binary(self, op_type: str, other: Recorded | ArrayLike) -> Recorded:
        operand = self._operand(other)
        shape = np.broadcast_shapes(self.shape, operand.shape)
        return self._record(op_type, self.name, operand.name, shape=shape)

    def __add__(self, other: Recorded | ArrayLike) -> Recorded:
        return self._binary("Add", other)

    def __sub__(self, other: Recorded | ArrayLike) -> Recorded:
        return self._binary("Sub", other)

    def __mul__(self, other: Recorded | ArrayLike) -> Recorded:
        return self._binary("Mul", other)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Recorded | ArrayLike) -> Recorded:
        return self._binary("Div", other)

    def __matmul__(self, other: Recorded | ArrayLike) -> Recorded:
        operand = self._operand(other)
        return self._record("MatMul", self.name, operand.name, shape=(*self.shape[:-1], operand.shape[-1]))

    def __ne__(self, other: object) -> Recorded:  # type: ignore[override]
        equal = self._binary("Equal", np.asarray(other))
        return self._record("Not", equal.name, shape=equal.shape)

    __hash__ = None  # type: ignore[assignment]

    def astype(self, dtype: DTypeLike) -> Recorded:
        return self._record("Cast", self.name, shape=self.shape, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def clip(self, low: float, high: float) -> Recorded:
        bounds = [self.body.constant(bound, np.float64) for bound in (low, high)]
        raised = self._record("Max", self.name, bounds[0], shape=self.shape)
        return self._record("Min", raised.name, bounds[1], shape=self.shape)

    def sum(self, axis: int) -> Recorded:
        axes = self.body.constant([axis], np.int64)
        shape = (*self.shape[:axis], *self.shape[axis + 1 :])
        return self._record("ReduceSum", self.name, axes, shape=shape, keepdims=0)

    def take(self, index: NDArray[np.intp], axis: int) -> Recorded:
        indices = self.body.constant(index, np.int32)
        shape = (*self.shape[:axis], len(index), *self.shape[axis + 1 :])
        return self._record("Gather", self.name, indices, shape=shape, axis=axis)

    def __getitem__(self, key: Recorded | tuple[slice | None, ...]) -> Recorded:
        """Rows selected by a recorded index, or slices and new axes."""
        if isinstance(key, Recorded):
            return self._record("Gather", self.name, key.name, shape=(*key.shape, *self.shape[1:]), axis=0)
        result = self
        for axis, part in enumerate(part for part in key if part is not None):
            if part != slice(None):
                result = result._slice(part, axis)
        new_axes = [position for position, part in enumerate(key) if part is None]
        if not new_axes:
            return result
        shape = np.broadcast_to(0.0, self.shape)[key].shape
        return result._record("Unsqueeze", result.name, self.body.constant(new_axes, np.int64), shape=shape)

    def _slice(self, part: slice, axis: int) -> Recorded:
        start, stop, _ = part.indices(self.shape[axis])
        bounds = [self.body.constant([bound], np.int64) for bound in (start, stop, axis)]
        shape = (*self.shape[:axis], stop - start, *self.shape[axis + 1 :])
        return self._record("Slice", self.name, *bounds, shape=shape)

    def _repeated_like(self, batch: Recorded) -> Recorded:
        """The one-row constant, repeated for every jet of ``batch``."""
        jets = self.body.record("Shape", [batch.name], start=0, end=1)
        target = self.body.record("Concat", [jets, self.body.constant(self.shape[1:], np.int64)], axis=0)
        return self._record("Expand", self.name, target, shape=self.shape)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Record the numpy functions that the operators use (`_arrays`)."""
        if function is np.take:
            array, index = args
            return array.take(index, **kwargs)
        if function is np.concatenate:
            arrays, axis = args
            return self._concatenate(arrays, axis)
        return NotImplemented

    def _concatenate(self, arrays: Sequence[Recorded | NDArray[np.float64]], axis: int) -> Recorded:
        parts = [a if isinstance(a, Recorded) else self._operand(a)._repeated_like(self) for a in arrays]
        shape = (*self.shape[:axis], sum(p.shape[axis] for p in parts), *self.shape[axis + 1 :])
        return self._record("Concat", *(p.name for p in parts), shape=shape, axis=axis)


def record_body(
    compute: Callable[..., Recorded], inputs: Sequence[str], shapes: Sequence[Shape | None]
) -> list[onnx.NodeProto]:
    """Record ``compute`` as ONNX nodes.

    Parameters
    ----------
    compute : callable
        The semantics, like `Operator.compute`.
    inputs : sequence of str
        Names of the inputs.
    shapes : sequence of tuple of int or None
        Their shapes; None where an optional input is absent.

    Returns
    -------
    list of onnx.NodeProto
        Nodes of standard operators (opset `OPSET`), in float64; the last one outputs the tensor `RESULT`.
    """
    body = Body()
    arrays = [
        None if shape is None else Recorded(body, body.cast(name, TensorProto.DOUBLE), shape)
        for name, shape in zip(inputs, shapes, strict=True)
    ]
    result = compute(*arrays)
    body.record("Identity", [result.name], output=RESULT)
    return body.nodes

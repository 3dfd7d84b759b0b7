"""Recording: what an operator may use in `compute`; anything else is refused, not recorded wrongly."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from nanopelican_hls.operators import _arrays
from nanopelican_hls.operators._onnx_body import OPSET, RESULT, record_body

X = np.array([[1.5, -2.0, 0.0], [1e6, -1.0, 0.25]])


def run(compute):
    """Record ``compute`` for one jet of X, and execute it on two."""
    nodes = record_body(compute, ["x"], [(1, 3)])
    x, result = (
        helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 3]),
        helper.make_tensor_value_info(RESULT, TensorProto.DOUBLE, None),
    )
    graph = helper.make_graph(nodes, "body", [x], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": X})[0]


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x + x - 2 * x * x / 4,
        lambda x: x * np.array([127.0, 128.0, -129.0]),
        lambda x: x * np.array([127.0, -128.0, -129.0]),  # an int8 is the shortest form, where it holds the numbers
        lambda x: x * np.array([127.0, -128.0, 128.0]),
        lambda x: np.array([0.1, -1e300, 2.0**-40]) * x + 0.5,
        lambda x: x @ np.array([[1.0, 0.5], [0, 1000], [-128, 3]]),
        lambda x: x[:, None] * x[:, :, None],
        lambda x: x[:, 1:] + x[:, :2],
        lambda x: x[:, :, None].sum(1),
        lambda x: _arrays.nonzero(x),
        lambda x: _arrays.take(x, np.array([2, 0, 0, 1]), 1),
        lambda x: _arrays.concatenate([x, x[:, :1]], axis=1),
        lambda x: _arrays.concatenate([_arrays.broadcast_rows(np.array([7.0, 0.1]), x.shape[0]), x], axis=1),
    ],
)
def test_equals_numpy(compute):
    np.testing.assert_array_equal(run(compute), compute(X))


def test_rows_of_a_table():
    """Rows are selected per jet, from a table that is a parameter: here the recorded array itself."""
    nodes = record_body(lambda table, n: table[_arrays.as_index(n)], ["table", "n"], [(3, 2), (1,)])
    assert [node.op_type for node in nodes] == ["Cast", "Cast", "Cast", "Gather", "Identity"]


def test_absent_inputs_are_none():
    nodes = record_body(lambda x, y: x if y is None else x + y, ["x", "y"], [(1, 3), None])
    assert [node.op_type for node in nodes] == ["Cast", "Identity"]


@pytest.mark.parametrize("function", [np.sin, np.sort, np.cumsum, np.outer, np.linalg.norm])
def test_what_cannot_be_recorded_is_refused(function):
    with pytest.raises(TypeError):
        record_body(function, ["x"], [(1, 3)])

"""ONNX function bodies, with which a stock onnxruntime runs a contract file without qonnx.

ONNX identifies a function by domain, op_type and, since IR version 10, an *overload*. A file can hold several bodies
of one operator: a body cannot test whether an optional input is present, and pair indices depend on the number of
particles. So each node of the domain ``nanopelican`` calls the overload with its own name, and each ``Quant`` the one
of its rounding mode. Tools with their own implementation of the operators (qonnx, hls4ml) ignore functions and
overloads.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from nanopelican_hls.contract import protobuf
from nanopelican_hls.contract.quant import QUANT_DOMAIN
from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.operators import DOMAIN, OPERATORS
from nanopelican_hls.operators._onnx_body import OPSET, RESULT, Body

_ROUNDING_OPERATORS = {Rounding.ROUND: "Round", Rounding.FLOOR: "Floor"}


def attach_functions(model: onnx.ModelProto) -> None:
    """Add a body to ``model.functions`` for every node that is not a standard operator.

    Parameters
    ----------
    model : onnx.ModelProto
        A contract graph that declares the shape of every tensor; modified in place.
    """
    graph = model.graph
    shapes = {
        value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.value_info, *graph.output)
    }
    shapes |= {i.name: tuple(i.dims) for i in graph.initializer}
    for node in graph.node:
        if node.domain == DOMAIN:
            node.overload = node.name
            model.functions.append(_operator_function(node, shapes))
        elif node.domain == QUANT_DOMAIN:
            node.overload = protobuf.attributes(node)["rounding_mode"]
    for overload in sorted({node.overload for node in graph.node if node.domain == QUANT_DOMAIN}):
        model.functions.append(_quant_function(Rounding(overload)))


def _function(
    domain: str,
    name: str,
    overload: str,
    inputs: Sequence[str],
    nodes: Sequence[onnx.NodeProto],
    attributes: Sequence[str],
) -> onnx.FunctionProto:
    function = helper.make_function(
        domain, name, inputs, [RESULT], nodes, [helper.make_opsetid("", OPSET)], attributes=attributes
    )
    function.overload = overload
    return function


def _operator_function(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]]) -> onnx.FunctionProto:
    attributes = protobuf.attributes(node)
    operator = OPERATORS[node.op_type](**attributes)
    tensors = protobuf.padded_inputs(node, type(operator))
    nodes = operator.body(*(shapes[t] if t else None for t in tensors))
    names = list(operator.inputs)
    # a file without the inputs that an operator got later is written as it was before
    while names[-1] in operator.later and not tensors[len(names) - 1]:
        names.pop()
    return _function(DOMAIN, operator.name, node.overload, names, nodes, list(attributes))


def _quant_function(rounding: Rounding) -> onnx.FunctionProto:
    """``Quant`` as the contract allows it: zero point 0, not narrow, so the body uses neither (docs/contract.md)."""
    body = Body()
    x, scale = (body.cast(tensor, TensorProto.DOUBLE) for tensor in ("x", "scale"))
    signed = body.attribute("signed")
    # an integer shift, because the result of Pow depends on the math library
    magnitude_bits = body.record("Sub", [body.cast("bit_width", TensorProto.INT64), signed])
    one, shift = body.constant(1, np.uint64), body.cast(magnitude_bits, TensorProto.UINT64)
    levels = body.cast(body.record("BitShift", [one, shift], direction="LEFT"), TensorProto.DOUBLE)
    high = body.record("Sub", [levels, body.constant(1.0, np.float64)])
    low = body.record("Mul", [body.record("Neg", [levels]), body.cast(signed, TensorProto.DOUBLE)])
    rounded = body.record(_ROUNDING_OPERATORS[rounding], [body.record("Div", [x, scale])])
    clipped = body.record("Min", [body.record("Max", [rounded, low]), high])
    value = body.record("Mul", [clipped, scale])
    body.record("Cast", [value], output=RESULT, to=TensorProto.FLOAT)
    inputs = ("x", "scale", "zero_point", "bit_width")
    return _function(QUANT_DOMAIN, "Quant", rounding.value, inputs, body.nodes, ("signed", "narrow", "rounding_mode"))

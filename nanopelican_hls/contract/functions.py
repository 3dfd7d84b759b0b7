"""ONNX function bodies: what lets a stock onnxruntime, without qonnx, run a file of the contract.

In ONNX a function is named by its domain, its op_type and, from IR version 10 on, an *overload*. One operator has
several bodies in a file, since a node may leave optional inputs out (a body cannot ask whether an input is there) and
pair indices depend on the number of particles. So every node of the domain ``nanopelican`` calls the overload of its
own name, and every ``Quant`` the overload of its rounding mode. Readers that know the operators themselves (qonnx,
hls4ml) look at neither functions nor overloads.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from nanopelican_hls.contract.quant import QUANT_DOMAIN
from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.operators import DOMAIN, OPERATORS
from nanopelican_hls.operators._onnx_body import OPSET, RESULT, Body

_ROUNDING_OPERATORS = {Rounding.ROUND: "Round", Rounding.FLOOR: "Floor"}


def attach_functions(model: onnx.ModelProto) -> None:
    """Give every node outside the standard operators a body in ``model.functions``.

    Parameters
    ----------
    model : onnx.ModelProto
        A graph of the contract that declares the shape of every tensor; changed in place.
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
            node.overload = next(a.s.decode() for a in node.attribute if a.name == "rounding_mode")
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
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    operator = OPERATORS[node.op_type](**{k: v.decode() if isinstance(v, bytes) else v for k, v in attributes.items()})
    padded = [*node.input, *[""] * (len(operator.inputs) - len(node.input))]
    nodes = operator.body(*(shapes[t] if t else None for t in padded))
    return _function(DOMAIN, operator.name, node.overload, operator.inputs, nodes, list(attributes))


def _quant_function(rounding: Rounding) -> onnx.FunctionProto:
    """``Quant`` within the contract: zero point 0 and not narrow, so neither appears (docs/contract.md)."""
    body = Body()
    x, scale = (body.cast(tensor, TensorProto.DOUBLE) for tensor in ("x", "scale"))
    signed = body.attribute("signed")
    # shifted as integers: 2**bits from Pow would depend on the mathematical library
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

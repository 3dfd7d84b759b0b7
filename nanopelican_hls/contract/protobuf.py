"""What a QONNX file's protobuf says: attributes, inputs, constants and shapes, each checked by itself."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from nanopelican_hls.contract.port import Shape
from nanopelican_hls.contract.quant import QUANT_DOMAIN
from nanopelican_hls.errors import ContractError
from nanopelican_hls.operators import DOMAIN, OPERATORS, CustomOperator


def where(node: onnx.NodeProto) -> str:
    """How messages name a node: by its name or, as ONNX allows unnamed nodes, by its output."""
    return f"node {node.name or next(iter(node.output), '')!r} ({node.op_type})"


def page(operator: str) -> str:
    """The remedy that sends the user to an operator's page."""
    return f"see docs/operators/{operator}.md"


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes that a node gives, by name; strings as str.

    Raises
    ------
    ContractError
        If one is given twice or has no type, as readers then take different values.
    """
    values: dict[str, Any] = {}
    for attribute in node.attribute:
        if attribute.name in values:
            raise ContractError(
                f"its attribute {attribute.name!r} is given twice", where=where(node), remedy="give it once"
            )
        try:
            value = helper.get_attribute_value(attribute)
        except ValueError:  # of a function's caller, or of an unknown type
            value = None
        if value is None:
            raise ContractError(
                f"its attribute {attribute.name!r} has no type or value", where=where(node), remedy="export it again"
            )
        values[attribute.name] = value
    return {name: v.decode(errors="replace") if isinstance(v, bytes) else v for name, v in values.items()}


def padded_inputs(node: onnx.NodeProto, operator: type[CustomOperator]) -> list[str]:
    """The tensors of all inputs of an operator, '' where absent: a file may leave out the last ones."""
    return [*node.input, *[""] * (len(operator.inputs) - len(node.input))]


def check_attribute(operator: type[CustomOperator], name: str, value: Any, where: str) -> None:
    """Refuse an attribute that the operator does not have, or whose value is of another type."""
    defaults = operator.attributes()
    if name not in defaults:
        known = ", ".join(defaults) or "none"
        raise ContractError(f"unknown attribute {name!r}", where=where, remedy=f"known attributes: {known}")
    kind = type(defaults[name])
    if not isinstance(value, kind) or (isinstance(value, int) and value < 0):
        expected = "a name" if kind is str else "a non-negative integer"
        raise ContractError(
            f"its attribute {name!r} is {value!r}, expected {expected}", where=where, remedy=page(operator.__name__)
        )


def unknown_operator(node: onnx.NodeProto) -> ContractError:
    """The error for a node that the contract does not know, with the nearest one that it does."""
    domains = {"Quant": QUANT_DOMAIN, "Relu": ""} | dict.fromkeys(OPERATORS, DOMAIN)
    near = difflib.get_close_matches(node.op_type, domains, n=1)
    hint = f"did you mean {near[0]} (domain {domains[near[0]]!r})? " if near else ""
    return ContractError(
        f"unknown operator, domain {node.domain!r}",
        where=where(node),
        remedy=f"{hint}the contract knows {', '.join(domains)}",
    )


def initialiser_value(initialiser: onnx.TensorProto, what: str, where: str) -> NDArray[np.float64]:
    """The numbers of an initialiser, all finite; `what` says in messages which input it is."""
    try:
        value = numpy_helper.to_array(initialiser).astype(np.float64)
    except (ValueError, TypeError, KeyError) as error:  # raised by onnx for strings and unknown types
        raise ContractError(
            f"{what} {initialiser.name!r} is not numeric ({error})", where=where, remedy="export it again"
        ) from error
    if not np.isfinite(value).all():
        raise ContractError(
            f"{what} {initialiser.name!r} is NaN or infinite", where=where, remedy="train the model again"
        )
    return value


def check_float32(initialiser: onnx.TensorProto, what: str, where: str) -> None:
    """Refuse an initialiser that float32 does not hold, so that the normal form left it as it was."""
    if initialiser.data_type != onnx.TensorProto.FLOAT:
        raise ContractError(
            f"{what} {initialiser.name!r} is no float32 number", where=where, remedy="store it as float32"
        )


def static_shape(value: onnx.ValueInfoProto) -> Shape:
    """The declared shape, without the batch axis."""
    dims = value.type.tensor_type.shape.dim
    if not dims or any(d.dim_value <= 0 for d in dims[1:]):
        shown = [d.dim_param or d.dim_value or "?" for d in dims]
        raise ContractError(
            f"has a dynamic or unknown shape {shown}",
            where=f"tensor {value.name!r}",
            remedy="export with static shapes; only the batch axis, the first, may be dynamic",
        )
    return tuple(d.dim_value for d in dims[1:])

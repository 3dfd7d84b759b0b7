"""A program for fewer constituents, with the same weights: small enough for what is too slow at full size."""

from __future__ import annotations

import onnx
from onnx import numpy_helper

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.errors import ContractError
from nanopelican_hls.operators.base import CustomOperator


def with_constituents(program: Program, constituents: int) -> Program:
    """The program for the first constituents of a jet alone.

    Tables over the number of valid particles lose the rows that no jet selects any more.

    Raises
    ------
    ContractError
        If it has fewer constituents already.
    """
    most = max(port.elements for port in program.inputs)
    lost = most - constituents
    if lost < 0 or constituents < 2:
        raise ContractError(
            f"has {most} constituents", where=f"{constituents} constituents", remedy=f"ask for 2 to {most}"
        )
    model = onnx.ModelProto()
    model.CopyFrom(program.model)
    del model.graph.value_info[:]
    del model.functions[:]
    for port in model.graph.input:
        axis = port.type.tensor_type.shape.dim[-1]
        if axis.dim_value == most:
            axis.dim_value = constituents
    for proto in model.graph.node:
        for attribute in proto.attribute:
            if attribute.name == "particles":
                attribute.i -= lost
    sources = {proto.output[0]: proto.input[0] for proto in model.graph.node}
    shorter = {sources.get(tensor, tensor) for node in program.nodes for tensor in _tables(program, node)}
    for initialiser in model.graph.initializer:
        if initialiser.name in shorter:
            rows = numpy_helper.to_array(initialiser)
            initialiser.CopyFrom(numpy_helper.from_array(rows[: len(rows) - lost].copy(), initialiser.name))
    return Program.parse(model)


def _tables(program: Program, node: Node) -> list[str]:
    """Parameters of a node that have a row for each number of valid particles."""
    operator, given = node.operator, node.given
    if not isinstance(operator, CustomOperator) or "mask" not in given or "multiplicity_bin" in given:
        return []
    axes = dict(zip(operator.inputs, operator.axes, strict=True))
    return [
        tensor
        for name, tensor in node.parameters.items()
        if len(program.constants[tensor]) > 1
        and (axes[name][0] == "T" or program.constants[tensor].ndim > len(axes[name]))
    ]

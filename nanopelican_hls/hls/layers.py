"""hls4ml layers: a layer class for each operator, and the layer list of a program."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.attributes import ConfigurableAttribute
from hls4ml.model.layers import Layer
from hls4ml.model.types import FixedPrecisionType

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding
from nanopelican_hls.hls.templates import header_of, snake_case
from nanopelican_hls.operators import OPERATORS, CustomOperator, Operator
from nanopelican_hls.operators.quant import Quant
from nanopelican_hls.operators.relu import Relu

ROUNDING_MODES = {Rounding.ROUND: "RND_CONV", Rounding.FLOOR: "TRN"}


def exact_type(values: FixedRange, least_bits: int = 1) -> FixedPrecisionType:
    """``ap_(u)fixed`` type that holds every value of a range, so that assignments neither round nor overflow."""
    bits = max(values.bits, least_bits)
    return FixedPrecisionType(bits, bits + values.exponent, values.signed)


def quantiser_type(quantiser: Quantiser) -> FixedPrecisionType:
    """``ap_(u)fixed`` type that quantises on assignment."""
    integer_bits = quantiser.bits + quantiser.exponent
    return FixedPrecisionType(quantiser.bits, integer_bits, quantiser.signed, ROUNDING_MODES[quantiser.rounding], "SAT")


#: C++ type and value passed for an absent optional input (nnet_absent.h)
ABSENT = ("nnet::absent", "nnet::absent()")


class OperatorLayer(Layer):  # type: ignore[misc]
    """Base class of the operators' layers; `layer_list` sets the attributes.

    ``arguments`` names the inputs that are present, in order. Activations are inputs of the layer, parameters become
    its weights.
    """

    _expected_attributes = [ConfigurableAttribute("reuse_factor", default=1)]

    def initialize(self) -> None:
        self.add_output_variable(list(self.get_attr("output_shape")))
        for name in self.get_attr("arguments"):
            data = self.get_attr(f"{name}_data")
            if data is not None:
                self.add_weights_variable(
                    name, type_name=name + "{index}_t", precision=exact_type(FixedRange.of_values(data)), data=data
                )

    def variables_of_call(self) -> list[tuple[str, str]]:
        """C++ types and names of the call's arguments: the operator's inputs in order, then the result."""
        activations = iter(self.inputs)
        given = {
            name: self.weights[name] if name in self.weights else self.get_input_variable(next(activations))
            for name in self.get_attr("arguments")
        }
        result = self.get_output_variable()
        return [
            *(
                (given[name].type.name, given[name].name) if name in given else ABSENT
                for name in OPERATORS[self.class_name].inputs
            ),
            (result.type.name, result.name),
        ]


@functools.cache
def layer_class(operator: type[CustomOperator]) -> type[OperatorLayer]:
    """The hls4ml layer class of an operator, also an attribute of this module, where hls4ml looks up saved layers."""
    kind = type(operator.__name__, (OperatorLayer,), {"__doc__": operator.__doc__, "__module__": __name__})
    globals()[operator.__name__] = kind
    return kind


class OperatorConfigTemplate(LayerConfigTemplate):  # type: ignore[misc]
    """The config struct of an operator's function: ``Operator.hls_config`` and the reuse factor."""

    def __init__(self) -> None:
        super().__init__(OperatorLayer)
        self.name = "nanopelican_config_template"

    def match(self, node: Layer) -> bool:
        return isinstance(node, OperatorLayer)

    def format(self, node: OperatorLayer) -> str:
        constants = node.get_attr("hls_config") | {"reuse_factor": node.get_attr("reuse_factor")}
        lines = [f"struct config{node.index} : nnet::{snake_case(node.class_name)}_config {{"]
        for name, value in constants.items():
            kind = "bool" if isinstance(value, bool) else "unsigned"
            lines.append(f"    static const {kind} {name} = {str(value).lower()};")
        if "n_multiplications" in constants:
            lines.append("    static const unsigned multiplier_limit = DIV_ROUNDUP(n_multiplications, reuse_factor);")
        return "\n".join([*lines, "};\n"])


class OperatorFunctionTemplate(FunctionCallTemplate):  # type: ignore[misc]
    """The call ``nnet::<operator><types..., config>(arguments..., result);``."""

    def __init__(self) -> None:
        super().__init__(OperatorLayer)
        self.name = "nanopelican_function_template"

    def match(self, node: Layer) -> bool:
        return isinstance(node, OperatorLayer)

    def transform(self, model: Any, node: OperatorLayer) -> Any:
        self.include_header = [f"nnet_utils/{header_of(OPERATORS[node.class_name]).name}"]
        return super().transform(model, node)

    def format(self, node: OperatorLayer) -> str:
        types, names = zip(*node.variables_of_call(), strict=True)
        config = f"config{node.index}"
        return f"nnet::{snake_case(node.class_name)}<{', '.join([*types, config])}>({', '.join(names)});"


def layer_name(tensor: str) -> str:
    """Name of the layer that computes a tensor: the tensor's name, made valid for C++ and hls4ml."""
    return re.sub(r"\W|^(?=\d)|^(?=input$)", "_", tensor)


def layer_list(program: Program) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """The result of hls4ml's ``parse_onnx_model``: layers, names of the input layers, names of the output layers.

    A layer is named after the tensor it computes, so that traces of hls4ml and QONNX execution have the same keys. A
    port and its quantiser together are one input layer.

    Raises
    ------
    FirmwareError
        If an output is a port or has more than one axis, or two tensors have the same name in C++.
    """
    producers = {port.tensor: layer_name(port.name) for port in program.inputs}
    _check_names([*(port.name for port in program.inputs), *(t for t in program.ranges if t not in producers)])
    _check_outputs(program, producers)
    layers: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "name": layer_name(port.name), "input_shape": list(port.shape)}
        for port in program.inputs
    ]
    layers += [_layer(node, program, producers) for node in program.nodes if node.output not in producers]
    return layers, list(producers.values()), [layer_name(port.tensor) for port in program.outputs]


def _check_names(tensors: Sequence[str]) -> None:
    tensor_of: dict[str, str] = {}
    for tensor in tensors:
        if layer_name(tensor) in tensor_of:
            raise FirmwareError(
                f"has the same name in C++ as {tensor_of[layer_name(tensor)]!r}",
                where=f"tensor {tensor!r}",
                remedy="rename one of the two (qonnx: RenameTensor)",
            )
        tensor_of[layer_name(tensor)] = tensor


def _check_outputs(program: Program, producers: Mapping[str, str]) -> None:
    for port in program.outputs:
        if len(port.shape) != 1 or port.tensor in producers:
            raise FirmwareError(
                f"has shape {port.shape}, expected a computed tensor with one axis",
                where=f"graph output {port.name!r}",
                remedy="output only tensors that exist once per jet, and read the others from a trace",
            )


def _layer(node: Node, program: Program, producers: Mapping[str, str]) -> dict[str, Any]:
    activations = [producers.get(tensor, tensor) for tensor in node.activations.values()]
    layer: dict[str, Any] = {"name": layer_name(node.output), "inputs": activations, "outputs": [node.output]}
    return layer | _attributes(node.operator, node, program)


@functools.singledispatch
def _attributes(operator: Operator, node: Node, program: Program) -> dict[str, Any]:  # noqa: ARG001
    """The layer attributes that hls4ml needs, by operator class."""
    raise FirmwareError("has no layer", where=f"node {node.name!r} ({operator.name})", remedy="remove it")


@_attributes.register
def _(operator: Relu, node: Node, program: Program) -> dict[str, Any]:  # noqa: ARG001
    return {"class_name": "Activation", "activation": "relu"}


@_attributes.register
def _(operator: Quant, node: Node, program: Program) -> dict[str, Any]:  # noqa: ARG001
    return {"class_name": "Activation", "activation": "linear"}  # the result type quantises


@_attributes.register
def _(operator: CustomOperator, node: Node, program: Program) -> dict[str, Any]:
    layer = {
        "class_name": operator.name,
        "arguments": list(node.given),
        "output_shape": program.shapes[node.output],
        "hls_config": operator.hls_config(*program.shapes_of(node)),
    }
    return layer | {f"{name}_data": program.constants[tensor] for name, tensor in node.parameters.items()}

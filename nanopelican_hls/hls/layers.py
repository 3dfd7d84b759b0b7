"""The contract as hls4ml layers: one generic layer class per operator, and the layer list of a whole program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.attributes import ConfigurableAttribute
from hls4ml.model.layers import Layer
from hls4ml.model.types import FixedPrecisionType

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding
from nanopelican_hls.operators import OPERATORS

ROUNDING_MODES = {Rounding.ROUND: "RND_CONV", Rounding.FLOOR: "TRN"}


def exact_type(values: FixedRange, least_bits: int = 1) -> FixedPrecisionType:
    """``ap_(u)fixed`` that holds every value of a range: assignments to it neither round nor overflow."""
    bits = max(values.bits, least_bits)
    return FixedPrecisionType(bits, bits + values.exponent, values.signed)


def quantiser_type(quantiser: Quantiser) -> FixedPrecisionType:
    """``ap_(u)fixed`` whose assignment is the quantiser."""
    integer_bits = quantiser.bits + quantiser.exponent
    return FixedPrecisionType(quantiser.bits, integer_bits, quantiser.signed, ROUNDING_MODES[quantiser.rounding], "SAT")


def snake_case(name: str) -> str:
    """``PairMix`` -> ``pair_mix``: what an operator is called in C++."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


#: type and value, in C++, of an optional input that the graph does not give (nnet_absent.h)
ABSENT = ("nnet::absent", "nnet::absent()")


class OperatorLayer(Layer):  # type: ignore[misc]
    """Base of the layers of all operators; `layer_list` gives the attributes.

    ``arguments`` names the inputs that are given, in order: activations, which are the inputs of the layer, and
    parameters, which become weights.
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
        """C++ types and names of what the function call passes: the operator's inputs in order, then the result."""
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


#: the layer class of each operator, by its name
LAYERS: dict[str, type[OperatorLayer]] = {
    name: type(name, (OperatorLayer,), {"__doc__": operator.__doc__}) for name, operator in OPERATORS.items()
}


class OperatorConfigTemplate(LayerConfigTemplate):  # type: ignore[misc]
    """The config struct of an operator's function: ``Operator.hls_config`` and the reuse factor."""

    def __init__(self) -> None:
        super().__init__(tuple(LAYERS.values()))
        self.name = "nanopelican_config_template"

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
        super().__init__(tuple(LAYERS.values()))
        self.name = "nanopelican_function_template"

    def transform(self, model: Any, node: OperatorLayer) -> Any:
        self.include_header = [f"nnet_utils/nnet_{snake_case(node.class_name)}.h"]
        return super().transform(model, node)

    def format(self, node: OperatorLayer) -> str:
        types, names = zip(*node.variables_of_call(), strict=True)
        config = f"config{node.index}"
        return f"nnet::{snake_case(node.class_name)}<{', '.join([*types, config])}>({', '.join(names)});"


def port_quantisers(program: Program) -> dict[str, tuple[str, Quantiser]]:
    """Of each port, the tensor behind its quantiser and the quantiser: the port's type in the firmware."""
    found: dict[str, tuple[str, Quantiser]] = {}
    for node in program.nodes:
        port = node.inputs[0]
        if port in program.ports:
            assert port is not None and node.quantiser is not None  # Program.parse: only Quant reads a port
            if port in found:
                raise FirmwareError(
                    f"has a second quantiser, {node.name!r}",
                    where=f"port {port!r}",
                    remedy="a port has one type: let one Quant read it",
                )
            found[port] = (node.output, node.quantiser)
    for port in program.ports:
        if port not in found:
            raise FirmwareError("is read by no Quant, so it has no type", where=f"port {port!r}", remedy="remove it")
    return found


def layer_name(tensor: str) -> str:
    """Name of the layer that computes a tensor: the tensor's, as far as C++ and hls4ml allow it."""
    return re.sub(r"\W|^(?=\d)|^(?=input$)", "_", tensor)


def layer_list(program: Program) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """What hls4ml's ``parse_onnx_model`` returns: layers, names of the input layers, names of the output layers.

    A layer is named by the tensor it computes, so that traces of hls4ml and QONNX execution have the same keys. A port
    and its quantiser are one: an input layer.

    Raises
    ------
    FirmwareError
        If the program has not one output of one value, a port has no type, or two tensors have one name in C++.
    """
    quantisers = port_quantisers(program)
    ports = {port: layer_name(port) for port in program.ports}
    producers = {tensor: ports[port] for port, (tensor, _) in quantisers.items()}
    _check_names([*program.ports, *(t for t in program.ranges if t not in producers)])
    _check_output(program, producers)
    layers = [
        {"class_name": "InputLayer", "name": ports[port], "input_shape": list(shape)}
        for port, shape in program.ports.items()
    ]
    for node in program.nodes:
        if node.inputs[0] not in program.ports:
            layers.append(_layer(node, program, producers))
    return layers, list(ports.values()), [layer_name(name) for name in program.outputs]


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


def _check_output(program: Program, producers: Mapping[str, str]) -> None:
    shapes = {name: program.shapes[name] for name in program.outputs}
    if list(shapes.values()) != [(1,)] or shapes.keys() & producers.keys():
        raise FirmwareError(
            f"the outputs have the shapes {shapes}, expected one computed tensor of one value, the logit",
            where="graph outputs",
            remedy="make the logit the only output; traces give the inner tensors",
        )


def _layer(node: Node, program: Program, producers: Mapping[str, str]) -> dict[str, Any]:
    activations = [producers.get(t, t) for t in node.inputs if t is not None and t in program.shapes]
    layer: dict[str, Any] = {"name": layer_name(node.output), "inputs": activations, "outputs": [node.output]}
    if node.operator is None:
        return layer | {"class_name": "Activation", "activation": "relu" if node.quantiser is None else "linear"}
    given = {name: t for name, t in zip(node.operator.inputs, node.inputs, strict=True) if t is not None}
    shapes = [_batched_shape(program, t) for t in node.inputs]
    layer |= {
        "class_name": node.op_type,
        "arguments": list(given),
        "output_shape": program.shapes[node.output],
        "hls_config": node.operator.hls_config(*shapes, **node.attributes),
    }
    return layer | {f"{name}_data": program.constants[given[name]] for name in node.operator.parameters & given.keys()}


def _batched_shape(program: Program, tensor: str | None) -> tuple[int, ...] | None:
    if tensor is None:
        return None
    return (1, *program.shapes[tensor]) if tensor in program.shapes else np.shape(program.constants[tensor])

"""Export of a network description to QONNX, the contract that every executor follows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from nanopelican_hls.contract.functions import attach_functions
from nanopelican_hls.contract.program import Program
from nanopelican_hls.contract.quant import QUANT_DOMAIN
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.operators import DOMAIN, VERSION, CustomOperator
from nanopelican_hls.operators._onnx_body import OPSET
from nanopelican_hls.topology.dataflow import Step, dataflow, once_a_jet, outputs, ports
from nanopelican_hls.topology.description import NetworkDescription


def build_program(description: NetworkDescription, name: str = "nanopelican") -> Program:
    """Build and check the QONNX graph of a quantised network.

    Ports are DOUBLE, [1, N] (constituents) and [1, 1] (the jet). Outputs of ``Quant`` are FLOAT, all others DOUBLE.

    Raises
    ------
    ContractError
        If a tensor needs more than 53 bits; the message names it.
    """
    network, builder = description.network, GraphBuilder(description.quantisers)
    for port in ports(network):
        builder.add_port(port, 1 if port in once_a_jet(network) else network.n_constituents)
    for parameter, value in description.parameters.items():
        builder.add_parameter(parameter, value)
    for step in dataflow(network, tables=description.tables):
        builder.add_step(step)
    return Program.parse(builder.finish(name, outputs(network)))


class GraphBuilder:
    """Collects nodes, initialisers and shapes, in dataflow order.

    Parameters
    ----------
    quantisers : mapping of str to Quantiser
        By tensor.
    shapes : mapping of str to tuple of int, optional
        Of tensors that exist already.
    """

    def __init__(
        self, quantisers: Mapping[str, Quantiser], shapes: Mapping[str, tuple[int, ...]] | None = None
    ) -> None:
        self.quantisers = quantisers
        self.shapes = dict(shapes or {})
        self.inputs: list[onnx.ValueInfoProto] = []
        self.values: list[onnx.ValueInfoProto] = []
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []

    def _value(self, name: str, shape: tuple[int, ...], kind: int) -> onnx.ValueInfoProto:
        self.shapes[name] = shape
        return helper.make_tensor_value_info(name, kind, shape)

    def _initialiser(self, name: str, value: NDArray[np.float64] | float) -> None:
        self.initialisers.append(numpy_helper.from_array(np.asarray(value, dtype=np.float32), name))

    def _add_quant(self, source: str, tensor: str, quantiser: Quantiser) -> None:
        settings = {"scale": quantiser.scale, "zero_point": 0.0, "bit_width": float(quantiser.bits)}
        for suffix, value in settings.items():
            self._initialiser(f"{tensor}_{suffix}", value)
        self.nodes.append(
            helper.make_node(
                "Quant",
                [source, *(f"{tensor}_{suffix}" for suffix in settings)],
                [tensor],
                name=f"{tensor}_quant",
                domain=QUANT_DOMAIN,
                signed=int(quantiser.signed),
                narrow=0,
                rounding_mode=quantiser.rounding.value,
            )
        )
        self.values.append(self._value(tensor, self.shapes[source], TensorProto.FLOAT))

    def add_port(self, port: str, width: int) -> None:
        self.inputs.append(self._value(f"{port}_in", (1, width), TensorProto.DOUBLE))
        self._add_quant(f"{port}_in", port, self.quantisers[port])

    def add_parameter(self, name: str, value: NDArray[np.float64]) -> None:
        # stored already quantised, so that every reader of the file gets the same value
        self._initialiser(f"{name}_value", self.quantisers[name](value))
        self.shapes[f"{name}_value"] = value.shape
        self._add_quant(f"{name}_value", name, self.quantisers[name])

    def _source(self, tensor: str) -> str:
        if not tensor.endswith("!"):
            return tensor
        tensor = tensor[:-1]
        return f"{tensor}_exact" if tensor in self.quantisers else tensor

    def add_step(self, step: Step) -> None:
        for name, value in step.constants.items():
            self._initialiser(name, value)
            self.shapes[name] = value.shape
        inputs = [self._source(t) if t else "" for t in step.inputs]
        quantiser = self.quantisers.get(step.output)
        output = f"{step.output}_exact" if quantiser else step.output
        shape = step.operator.shape(*(self.shapes[t] if t else None for t in inputs))
        while inputs[-1] == "":
            inputs.pop()
        self.nodes.append(_node(step, inputs, output))
        self.values.append(self._value(output, shape, TensorProto.DOUBLE))
        if quantiser:
            self._add_quant(output, step.output, quantiser)

    def finish(self, name: str, names: Sequence[str]) -> onnx.ModelProto:
        inner = [v for v in self.values if v.name not in names]
        found = {v.name: v for v in self.values if v.name in names}
        graph = helper.make_graph(
            self.nodes, name, self.inputs, [found[name] for name in names], self.initialisers, value_info=inner
        )
        versions = {"": OPSET, QUANT_DOMAIN: 1, DOMAIN: VERSION}
        imports = [helper.make_opsetid(domain, version) for domain, version in versions.items()]
        model = helper.make_model(graph, opset_imports=imports, producer_name="nanopelican-hls")
        model.ir_version = 10  # the first with function overloads
        attach_functions(model)
        onnx.checker.check_model(model)
        return model


def _node(step: Step, inputs: Sequence[str], output: str) -> onnx.NodeProto:
    """A node named after its output and operator, in lower case for standard operators (Relu)."""
    operator = step.operator
    if not isinstance(operator, CustomOperator):
        return helper.make_node(operator.name, inputs, [output], name=f"{step.output}_{operator.name.lower()}")
    attributes = dataclasses.asdict(operator)
    name = f"{step.output}_{operator.name}"
    return helper.make_node(operator.name, inputs, [output], name=name, domain=DOMAIN, **attributes)

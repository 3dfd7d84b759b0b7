"""A QONNX file as a typed program: parsed and checked once, used by every executor.

Parsing is the pre-flight check. A file that passes satisfies the numeric contract (docs/contract.md), so downstream
code neither reads protobuf nor checks again.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from nanopelican_hls.contract import normal_form, protobuf
from nanopelican_hls.contract.port import Port, Shape
from nanopelican_hls.contract.quant import QUANT_DOMAIN, read_quantiser
from nanopelican_hls.errors import ContractError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.fixed_point import EXACT_BITS, FixedRange, Quantiser
from nanopelican_hls.operators import DOMAIN, OPERATORS, VERSION, CustomOperator
from nanopelican_hls.operators._arrays import MOST_CONSTITUENTS
from nanopelican_hls.operators.call import Call
from nanopelican_hls.operators.quant import Quant
from nanopelican_hls.operators.relu import Relu


@dataclass(frozen=True)
class Node(Call):
    """A node of the graph."""

    name: str

    @property
    def quantiser(self) -> Quantiser | None:
        """The quantiser of a ``Quant``; None for every other operator."""
        return self.operator.quantiser if isinstance(self.operator, Quant) else None


@dataclass(frozen=True, eq=False)
class Program:
    """A checked QONNX graph, the input of every executor and target.

    Attributes
    ----------
    model : the ONNX model, in its normal form (`normal_form`).
    inputs, outputs : ports, in file order.
    nodes : nodes that compute activations, in execution order (``Quant`` on constants is folded).
    constants : parameters after quantisation, by tensor, float64.
    parameter_quantisers : quantisers of the parameters, by tensor.
    shapes : shape of every activation, without the batch axis.
    ranges : range of every activation except the graph inputs, which are real numbers.
    """

    model: onnx.ModelProto = field(repr=False)
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    nodes: tuple[Node, ...]
    constants: Mapping[str, NDArray[np.float64]]
    parameter_quantisers: Mapping[str, Quantiser]
    shapes: Mapping[str, Shape]
    ranges: Mapping[str, FixedRange]

    @classmethod
    def parse(cls, model: onnx.ModelProto) -> Program:
        """Check a model and convert it.

        Raises
        ------
        ContractError
            If the model violates the contract; names the node, the cause and the remedy.
        """
        return _Parser(model).run()

    @classmethod
    def of(cls, source: Program | str | Path) -> Program:
        """A program as it is, or that of a QONNX file; errors as of `read_program`."""
        return source if isinstance(source, Program) else read_program(source)

    @property
    def quantisers(self) -> dict[str, Quantiser]:
        """Quantisers of the activations, by output tensor."""
        return {node.output: node.quantiser for node in self.nodes if node.quantiser}

    def shapes_of(self, node: Node) -> list[Shape | None]:
        """Shapes of a node's inputs, None where absent; activations have a batch axis of 1."""
        return _input_shapes(node, self.shapes, self.constants)

    @property
    def checksum(self) -> str:
        """SHA-256 of the graph in its normal form, by which results of earlier runs are told from those of another."""
        return hashlib.sha256(self.model.SerializeToString(deterministic=True)).hexdigest()

    def exponent(self, tensor: str) -> int:
        """Exponent of the grid ``2**exponent`` on which a tensor is compared as integers."""
        return self.ranges[tensor].exponent


def read_program(path: str | Path) -> Program:
    """Load a QONNX file and check it.

    Raises
    ------
    ContractError
        If it cannot be read, is not an ONNX file, or violates the contract.
    """
    return Program.parse(read_model(path))


def read_model(path: str | Path) -> onnx.ModelProto:
    """Load an ONNX file without checking the contract.

    Raises
    ------
    ContractError
        If it cannot be read or is not an ONNX file.
    """
    path = Path(path)
    if path.suffix in (".yaml", ".pt"):  # protobuf would call it truncated
        raise ContractError(
            "is not a QONNX file",
            where=str(path),
            remedy="give the .onnx file of the model, which training wrote beside it",
        )
    try:
        # by default, onnx infers the format from the file name's extension
        model = onnx.load_model(path, format="protobuf")
    except OSError as error:
        raise ContractError(
            f"cannot be read ({error.strerror})", where=str(path), remedy="give the path of a QONNX file"
        ) from error
    except (onnx.checker.ValidationError, ValueError) as error:
        # missing, not a file next to it, cut off, or with a range that is none
        raise ContractError(
            f"stores its weights in another file, which cannot be read ({' '.join(str(error).split())})",
            where=str(path),
            remedy="put that file, whole, next to it, or export with the weights inside",
        ) from error
    except DecodeError as error:
        raise ContractError(
            "is not an ONNX file, or is truncated", where=str(path), remedy="export it again"
        ) from error
    if not model.graph.node:
        raise ContractError("contains no graph", where=str(path), remedy="export it again")
    return model


def save_program(program: Program, path: str | Path) -> None:
    """Write the model to a file atomically, so that a later run never sees half of it."""
    write_atomically(Path(path), program.model.SerializeToString(deterministic=True), ContractError)


class _Parser:
    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = normal_form.prepare(model)
        self.graph = self.model.graph
        self.versions = {i.domain: i.version for i in self.model.opset_import}
        self.initialisers = {i.name: i for i in self.graph.initializer}
        self.constants: dict[str, NDArray[np.float64]] = {}
        self.parameter_quantisers: dict[str, Quantiser] = {}
        self.shapes: dict[str, Shape] = {}
        self.ranges: dict[str, FixedRange] = {}
        self.nodes: list[Node] = []
        self.inputs: dict[str, Port] = {}

    def run(self) -> Program:
        self._check_listed_once()
        ports = {i.name: protobuf.static_shape(i) for i in self.graph.input if i.name not in self.initialisers}
        for port, shape in ports.items():
            if max(shape, default=0) > MOST_CONSTITUENTS:
                raise ContractError(
                    f"has the shape {list(shape)}, with more than {MOST_CONSTITUENTS} entries",
                    where=f"port {port!r}",
                    remedy="train with fewer constituents",
                )
        self.shapes.update(ports)
        for proto in self.graph.node:
            self._read_node(proto)
        outputs = self._outputs()
        for port in ports:
            if port not in self.inputs:
                raise ContractError(
                    "is read by no Quant, so it has no type", where=f"port {port!r}", remedy="remove it"
                )
        parameters = {tensor: self.constants[tensor].shape for tensor in self.parameter_quantisers}
        normal_form.complete(self.model, self.shapes, parameters)
        return Program(
            model=self.model,
            inputs=tuple(self.inputs[port] for port in ports),
            outputs=outputs,
            nodes=tuple(self.nodes),
            constants=self.constants,
            parameter_quantisers=self.parameter_quantisers,
            shapes=self.shapes,
            ranges=self.ranges,
        )

    def _check_listed_once(self) -> None:
        for kind, values in (("input", self.graph.input), ("output", self.graph.output)):
            for name, count in Counter(value.name for value in values).items():
                if count > 1:
                    raise ContractError(
                        f"is listed {count} times as an {kind} of the graph",
                        where=f"tensor {name!r}",
                        remedy="list it once",
                    )

    def _outputs(self) -> tuple[Port, ...]:
        names = [o.name for o in self.graph.output]
        if not names:
            raise ContractError("has no output", where=f"graph {self.graph.name!r}", remedy="export it again")
        for name in names:
            if name not in self.ranges:
                raise ContractError(
                    "is an output that no node computes", where=f"tensor {name!r}", remedy="remove it, or export again"
                )
        return tuple(Port.of_output(name, self.shapes[name], self.ranges[name]) for name in names)

    def _read_node(self, proto: onnx.NodeProto) -> None:
        where = protobuf.where(proto)
        self._check_tensors(proto, where)
        if proto.op_type == "Quant" and proto.domain == QUANT_DOMAIN:
            self._read_quant(proto, where)
        elif proto.op_type == "Relu" and not proto.domain:
            self._read_relu(proto, where)
        elif proto.domain == DOMAIN and proto.op_type in OPERATORS:
            self._read_operator(proto, where)
        else:
            raise protobuf.unknown_operator(proto)

    def _check_tensors(self, proto: onnx.NodeProto, where: str) -> None:
        """Its inputs are known, and its only output is new."""
        if len(proto.output) != 1:
            raise ContractError(
                f"has {len(proto.output)} outputs, expected 1", where=where, remedy="split it into one node per output"
            )
        for tensor in proto.input:
            if tensor and not self._known(tensor):
                raise ContractError(
                    f"its input {tensor!r} is not computed by an earlier node",
                    where=where,
                    remedy="sort the graph topologically (qonnx: SortGraph) and remove dangling inputs",
                )
        if self._known(proto.output[0]):
            raise ContractError(
                f"its output {proto.output[0]!r} is already defined",
                where=where,
                remedy="give every tensor its own name",
            )

    def _known(self, tensor: str) -> bool:
        return tensor in self.shapes or tensor in self.initialisers or tensor in self.constants

    def _constant(self, tensor: str, what: str, where: str) -> NDArray[np.float64]:
        """The value of an initialiser, or of a parameter after its Quant."""
        if tensor in self.constants:
            return self.constants[tensor]
        if tensor not in self.initialisers:
            raise ContractError(
                f"{what} {tensor!r} is not a constant",
                where=where,
                remedy="store it as an initialiser; only Constant nodes are folded",
            )
        return protobuf.initialiser_value(self.initialisers[tensor], what, where)

    def _read_quant(self, proto: onnx.NodeProto, where: str) -> None:
        if len(proto.input) != 4:
            raise ContractError(
                f"has {len(proto.input)} inputs, expected 4 (x, scale, zero point, bit width)",
                where=where,
                remedy="export it with Brevitas or with this package",
            )
        constants = dict(zip(("its scale", "its zero point", "its bit width"), proto.input[1:], strict=True))
        scale, zero_point, bit_width = (self._constant(t, what, where) for what, t in constants.items())
        for what, tensor in constants.items():
            if tensor in self.initialisers:
                protobuf.check_float32(self.initialisers[tensor], what, where)
        quantiser = read_quantiser(scale, zero_point, bit_width, protobuf.attributes(proto), where)
        source, output = proto.input[0], proto.output[0]
        if source in self.shapes:
            if source not in self.ranges:
                self._add_input(source, output, quantiser, proto.name)
            self._append(Node(output, Quant(quantiser), (source,), proto.name), where)
        else:
            self.constants[output] = quantiser(self._constant(source, "its input", where))
            self.parameter_quantisers[output] = quantiser

    def _add_input(self, port: str, tensor: str, quantiser: Quantiser, node: str) -> None:
        if port in self.inputs:
            raise ContractError(
                f"has a second quantiser, {node!r}",
                where=f"port {port!r}",
                remedy="a port has one type: let one Quant read it",
            )
        self.inputs[port] = Port.of_input(port, tensor, self.shapes[port], quantiser)

    def _read_relu(self, proto: onnx.NodeProto, where: str) -> None:
        if len(proto.input) != 1 or proto.input[0] not in self.shapes:
            raise ContractError(
                f"its input is {list(proto.input)}, expected one activation",
                where=where,
                remedy="connect the output of an operator",
            )
        for name in protobuf.attributes(proto):
            raise ContractError(f"unknown attribute {name!r}", where=where, remedy="known attributes: none")
        self._append(Node(proto.output[0], Relu(), tuple(proto.input), proto.name), where)

    def _read_operator(self, proto: onnx.NodeProto, where: str) -> None:
        self._check_version()
        kind = OPERATORS[proto.op_type]
        attributes = protobuf.attributes(proto)
        for name, value in attributes.items():
            protobuf.check_attribute(kind, name, value, where)
        if len(proto.input) > len(kind.inputs):
            raise ContractError(
                f"has {len(proto.input)} inputs, expected at most {len(kind.inputs)}",
                where=where,
                remedy=protobuf.page(proto.op_type),
            )
        tensors = protobuf.padded_inputs(proto, kind)
        for name, tensor in zip(kind.inputs, tensors, strict=True):
            self._read_input(kind, name, tensor, where)
        self._append(Node(proto.output[0], kind(**attributes), tuple(t or None for t in tensors), proto.name), where)

    def _check_version(self) -> None:
        if self.versions.get(DOMAIN) != VERSION:
            raise ContractError(
                f"operator version {self.versions.get(DOMAIN, 'unknown')}, but this package supports version {VERSION}",
                where=f"domain {DOMAIN!r}",
                remedy="export the model again with this version",
            )

    def _read_input(self, kind: type[CustomOperator], name: str, tensor: str, where: str) -> None:
        """Check one input of an operator; the tensor is '' where absent."""
        page = protobuf.page(kind.__name__)
        if not tensor:
            if name not in kind.optional:
                raise ContractError(f"its input {name!r} is missing", where=where, remedy=page)
        elif name in kind.parameters:
            self.constants[tensor] = self._constant(tensor, f"its input {name!r}", where)
        elif tensor not in self.shapes:
            raise ContractError(f"its input {name!r} is a constant, expected an activation", where=where, remedy=page)
        elif name == "mask" and self.ranges.get(tensor) != FixedRange(0, 1, 0):
            raise ContractError(
                f"its input {name!r}, {tensor!r}, is not a mask of 0 and 1",
                where=where,
                remedy="connect the output of ParticleMask",
            )

    def _append(self, node: Node, where: str) -> None:
        self.nodes.append(node)
        try:
            shape, values = self._infer(node, where)
        except ValueError as error:
            raise ContractError(
                f"its inputs are inconsistent ({error})", where=where, remedy=protobuf.page(node.operator.name)
            ) from error
        self._check_declared_shape(node.output, shape, where)
        if values.bits > EXACT_BITS:
            raise ContractError(
                f"tensor {node.output!r} needs {values.bits} bits, more than the {EXACT_BITS} that float64 can hold",
                where=where,
                remedy="narrow the quantisers upstream",
            )
        self.shapes[node.output], self.ranges[node.output] = shape, values

    def _infer(self, node: Node, where: str) -> tuple[Shape, FixedRange]:
        for tensor in node.inputs:
            if tensor in self.shapes and tensor not in self.ranges and node.quantiser is None:
                raise ContractError(
                    f"its input {tensor!r} is a port without a quantiser",
                    where=where,
                    remedy="quantise every graph input with a Quant",
                )
        shapes = _input_shapes(node, self.shapes, self.constants)
        ranges = [self.ranges.get(t) if t else None for t in node.inputs]
        values = {name: self.constants[tensor] for name, tensor in node.parameters.items()}
        return node.operator.shape(*shapes)[1:], node.operator.range(*ranges, shapes=shapes, values=values)

    def _check_declared_shape(self, tensor: str, shape: Shape, where: str) -> None:
        for value in (*self.graph.value_info, *self.graph.output):
            if value.name == tensor and (declared := protobuf.static_shape(value)) != shape:
                raise ContractError(
                    f"tensor {tensor!r} is declared as {declared}, but the operator returns {shape}",
                    where=where,
                    remedy="export it again",
                )


def _input_shapes(
    node: Node, activations: Mapping[str, Shape], constants: Mapping[str, NDArray[np.float64]]
) -> list[Shape | None]:
    def shape(tensor: str) -> Shape:
        return (1, *activations[tensor]) if tensor in activations else constants[tensor].shape

    return [None if tensor is None else shape(tensor) for tensor in node.inputs]

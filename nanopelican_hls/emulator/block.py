"""A program as C++ loops over a block of jets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.emulator.code import Code, Index, Loop, declaration, described, subscript
from nanopelican_hls.emulator.lanes import Lanes
from nanopelican_hls.emulator.names import identifier
from nanopelican_hls.emulator.number import Number, cpp_type
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.fixed_point import FixedRange


class Tensor(Lanes):
    """An activation: a variable inside of the loop that reads it, or, if several do, an array."""

    def __init__(self, code: Code, name: str, result: Lanes, values: FixedRange) -> None:
        super().__init__(code, name, result.shape, self._variable, result.cuts)
        self.result, self.values, self.evaluated = result, values, False

    def _variable(self, loop: Loop, index: Sequence[Index]) -> Number:
        """The element as a variable of a loop, defined once."""
        self.evaluated = True
        places = tuple(index[1:])
        key = (self.name, places)
        if key not in loop.known:
            with located(self.name):
                number = self.result.element(loop, index).at(self.values.exponent)
            suffix = [f"_{i.place}" for i, size in zip(places, self.shape[1:], strict=True) if size > 1 and not i.text]
            variable = loop.define(self.name, "".join(suffix), cpp_type(self.values), number.text)
            loop.lines.append(f"if (traced) passing->{self.name}{subscript(places)}[jet] = {variable};")
            low, high = max(number.range.low, self.values.low), min(number.range.high, self.values.high)
            bounds = FixedRange(low, high, self.values.exponent)
            loop.known[key] = number if number.value is not None else Number.variable(variable, self.values, bounds)
        return loop.known[key]

    def in_memory(self) -> Tensor:
        if not self.stored:
            self.code.arrays[self.name] = declaration(self.name, self.shape[1:], self.values)
            with located(self.name):
                written = self.result.elements()
            self.code.lines.append(f"// {self.name}: {described(self.values)}")
            self.store(self.name, self.values, written)
        return self


def tensor_names(program: Program) -> dict[str, str]:
    """C++ identifiers of all tensors, activations and parameters, by name."""
    names: dict[str, str] = {}
    for tensor in (*program.ranges, *program.constants):
        names[tensor] = identifier(tensor, names.values())
    return names


def write_block(program: Program, names: Mapping[str, str]) -> Code:
    """The arrays, tables and loops that compute all tensors of a block of jets from the integers of the ports.

    Raises
    ------
    FirmwareError
        If an intermediate value needs more bits than a C++ integer has.
    """
    code = Code(names.values(), (names[tensor] for tensor in program.constants))
    tensors = {name: Lanes.constant(code, names[name], value) for name, value in program.constants.items()}
    for port in program.inputs:
        name, values = names[port.tensor], program.ranges[port.tensor]
        tensors[port.tensor] = Lanes.variable(code, name, (1, *port.shape), values)
        code.arrays[name] = declaration(name, port.shape, values)
    uses = Counter(tensor for node in program.nodes for tensor in node.given.values())
    uses.update(2 * [port.tensor for port in program.outputs])
    written = []
    for node in program.nodes:
        if node.output not in tensors:
            tensor = _compute(code, node, names[node.output], tensors, program.ranges[node.output])
            tensors[node.output] = tensor if uses[node.output] == 1 else tensor.in_memory()
            written.append(tensor)
    for tensor in written:
        if not tensor.stored and not tensor.evaluated:
            tensor.in_memory()
        elif not tensor.stored:
            code.passing[tensor.name] = declaration(tensor.name, tensor.shape[1:], tensor.values)
    return code


def _compute(code: Code, node: Node, name: str, tensors: Mapping[str, Lanes], values: FixedRange) -> Tensor:
    with located(node.output):
        result: Lanes = node.operator.compute(*(tensors[tensor] if tensor else None for tensor in node.inputs))
    return Tensor(code, name, result, values)


@contextmanager
def located(tensor: str) -> Iterator[None]:
    """Say in errors which tensor they are about: the first one that is computed."""
    try:
        yield
    except FirmwareError as error:
        if error.where is None or error.where.startswith("tensor"):
            raise
        raise FirmwareError(error.what, where=f"tensor {tensor!r}, {error.where}", remedy=error.remedy) from error

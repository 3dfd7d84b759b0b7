"""Tracing: a program replayed on symbolic fixed-point numbers, from QONNX nodes to adders and multipliers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.rtl.alkaid_adapter import patched
from nanopelican_hls.rtl.circuit import Circuit, circuit
from nanopelican_hls.rtl.symbolic import Symbolic


@dataclass(frozen=True)
class Trace:
    """A replayed program.

    Attributes
    ----------
    ports : quantised input tensors [1, ...] by name, the inputs of the circuit.
    tensors : parameters and all activations by name, including ports.
    """

    program: Program
    ports: Mapping[str, Symbolic]
    tensors: Mapping[str, Symbolic]

    def circuit(self, *, all_tensors: bool = False) -> Circuit:
        """The circuit that computes the outputs of the program, or all of its tensors."""
        names = tuple(self.program.ranges) if all_tensors else [port.tensor for port in self.program.outputs]
        return circuit(self.ports, {name: self.tensors[name] for name in names})


@patched()
def trace(program: Program, ports: Mapping[str, Symbolic] | None = None) -> Trace:
    """Replay a program.

    Parameters
    ----------
    program : Program
    ports : mapping of str to Symbolic [1, ...], optional
        Quantised inputs; new ones by default.
    """
    if ports is None:
        ports = {port.tensor: Symbolic.inputs((1, *port.shape), port.quantiser) for port in program.inputs}
    tensors = {name: Symbolic(value) for name, value in program.constants.items()} | dict(ports)
    for node in program.nodes:
        if node.output not in ports:
            tensors[node.output] = _replay(node, tensors).known_within(program.ranges[node.output])
    return Trace(program, ports, tensors)


def _replay(node: Node, tensors: Mapping[str, Symbolic]) -> Symbolic:
    inputs = [tensors[name] if name else None for name in node.inputs]
    result: Symbolic = node.operator.compute(*inputs)
    return result

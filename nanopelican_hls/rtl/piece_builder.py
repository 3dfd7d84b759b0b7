"""Nodes of a program as pieces of a netlist: each node with the quantisers and ReLUs that follow it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.operators._arrays import concatenate
from nanopelican_hls.operators.pair_mix import PairMix
from nanopelican_hls.operators.pairwise_dot import PairwiseDot
from nanopelican_hls.operators.spurion_dot import SpurionDot
from nanopelican_hls.rtl.masking import Graph, Padding
from nanopelican_hls.rtl.netlist import Netlist, Value, Word
from nanopelican_hls.rtl.products import Products
from nanopelican_hls.rtl.quantise import adds_half
from nanopelican_hls.rtl.settings import Settings
from nanopelican_hls.rtl.sharing import Sharing
from nanopelican_hls.rtl.supported import constituents_sharing
from nanopelican_hls.rtl.symbolic import Symbolic

Values = NDArray[Any]  # of Value, in the shape of the tensor
Lane = Sequence[Value]
Compute = Callable[[Symbolic], Symbolic]


class PieceBuilder:
    """Holds the elements of all tensors, and adds pieces that compute further ones.

    Parameters
    ----------
    program : Program
    netlist : Netlist
        Receives the pieces.
    settings : Settings
    spared_dsps : int
        Number of DSPs of the momentum products to replace by multipliers in LUTs.
    """

    def __init__(self, program: Program, netlist: Netlist, settings: Settings, spared_dsps: int = 0) -> None:
        self.program, self.netlist = program, netlist
        self.tensors: dict[str, Values] = {}
        self.done: set[str] = set()
        self.graph = Graph(program)
        self.padding: dict[str, Padding] = {}
        #: momentum products; None if there are none, or they are in several coordinates
        self.products = _products(program, netlist, settings, spared_dsps)
        constituents = constituents_sharing(program, settings.interval)
        self.sharing = Sharing(netlist, constituents, settings.interval, settings.streamed)

    # tensors

    def size(self, tensor: str) -> int:
        return int(np.prod(self.program.shapes[tensor]))

    def store(self, tensor: str, index: Sequence[int], values: Lane) -> None:
        if tensor not in self.tensors:
            self.tensors[tensor] = np.empty(self.program.shapes[tensor], dtype=object)
        flat = self.tensors[tensor].reshape(-1)
        for place, value in zip(index, values, strict=True):
            flat[place] = value

    def inputs_of(self, node: Node) -> dict[str, Values]:
        """Activations by name of the operator's input."""
        return {name: self.tensors[tensor] for name, tensor in node.activations.items()}

    def parameters_of(self, node: Node) -> dict[str, NDArray[np.float64]]:
        return {name: self.program.constants[tensor] for name, tensor in node.parameters.items()}

    # pieces

    def add_piece(
        self,
        node: Node,
        name: str,
        lanes: Sequence[Lane],
        index: Sequence[Sequence[int]],
        compute: Compute,
        padded: float | None = None,
        half_added: bool = False,
        live: Sequence[Value] | None = None,
        stored: bool = False,
    ) -> None:
        """Add identical lanes for a node, together with the elementwise operators that follow it.

        Parameters
        ----------
        node : Node
        name : str
            Name of the modules and instances.
        lanes : sequence of Lane
            Inputs of each lane.
        index : sequence of sequence of int
            Elements of the node's output that each lane computes.
        compute : callable
            From a row [1, n] of inputs to a row [1, m] of elements.
        padded : float, optional
            Value at the end of the chain where the last input, a mask, is 0.
        half_added : bool
            Whether `compute` includes half a unit of the quantiser that follows (`half_unit`).
        live : sequence of Value, optional
            For each lane, a flag: where it is 0, so is the value at the end of the chain.
        stored : bool
            Whether the node's output is stored already, and only what follows is added.
        """
        chain = self.graph.elementwise(node.output)
        inside = {node.output, *(each.output for each in chain)}
        self.done |= inside
        wanted = [
            tensor
            for tensor in (node.output, *(each.output for each in chain))
            if tensor in self.graph.outputs or self._is_used_outside(tensor, inside)
        ]
        if stored:
            wanted = [tensor for tensor in wanted if tensor != node.output]
        flags = [flag for flag in live or () if isinstance(flag, Word)]
        if flags and live:
            lanes = [[*lane, flag] for lane, flag in zip(lanes, live, strict=True)]

        if padded is not None:
            self.padding[wanted[-1]] = Padding(padded)

        def lane(row: Symbolic) -> Symbolic:
            row, flag = (row[:, :-1], row[:, row.shape[1] - 1 :]) if flags else (row, None)
            values = {node.output: compute(row)}
            if half_added:
                values[chain[-1].output] = self._rounded(values[node.output], chain)
            else:
                self._follow(node, chain, values)
            if padded is not None:
                values[wanted[-1]] = values[wanted[-1]].chosen(row[:, row.shape[1] - 1 :], padded)
            if flag is not None:
                values[wanted[-1]] = values[wanted[-1]].chosen(flag, 0.0)
            return concatenate([values[tensor] for tensor in wanted], 1)  # type: ignore[no-any-return]

        for k, (places, results) in enumerate(zip(index, self.netlist.lanes(name, lanes, lane), strict=True)):
            count = len(places)
            if flags and live and isinstance(live[k], Word):
                self.sharing.silent |= {value.net for value in results[-count:] if isinstance(value, Word)}
            for j, tensor in enumerate(wanted):
                self.store(tensor, places, results[j * count : (j + 1) * count])

    def _follow(self, node: Node, chain: Sequence[Node], values: dict[str, Symbolic]) -> None:
        """Apply the quantisers and ReLUs after a node one by one."""
        if not isinstance(node.operator, PairMix):  # padded particles may be below the range of z
            values[node.output] = values[node.output].known_within(self.program.ranges[node.output])
        for each in chain:
            source = values[str(each.inputs[0])]
            result: Symbolic = each.operator.compute(source)
            values[each.output] = result.known_within(self.program.ranges[each.output])

    def _rounded(self, value: Symbolic, chain: Sequence[Node]) -> Symbolic:
        """Quantise a number that includes half a unit, with a ReLU before the quantiser if the chain has one.

        ReLU may be applied with the half still included: what it sets to 0 would be rounded to 0.
        """
        quantiser = chain[-1].quantiser
        assert quantiser is not None
        return (value.rectified() if len(chain) > 1 else value).quantised(quantiser, half_added=True)

    def half_unit(self, node: Node) -> float:
        """Half a unit of the quantiser after a node (and ReLU), if it rounds and nothing else needs its input; else 0.

        Merged into a constant upstream, the half is free and saves an adder per element.
        """
        chain = self.graph.elementwise(node.output)
        before = [node.output, *(each.output for each in chain[:-1])]
        if not chain or any(self.graph.only_reader(tensor) is None for tensor in before):
            return 0.0
        quantiser = chain[-1].quantiser
        if quantiser is None or any(each.quantiser for each in chain[:-1]):
            return 0.0
        return quantiser.scale / 2 if adds_half(quantiser, self.program.ranges[node.output].exponent) else 0.0

    def _is_used_outside(self, tensor: str, inside: set[str]) -> bool:
        return any(user.output not in inside for user in self.graph.consumers.get(tensor, ()))

    def add_whole(self, node: Node) -> None:
        """Add a node as one piece."""
        activations = [t for t in node.inputs if t in self.tensors]
        sizes = [self.size(str(t)) for t in activations]
        starts = np.cumsum([0, *sizes])
        words = self.sharing.at_once([value for t in activations for value in self.tensors[str(t)].ravel()])

        def compute(row: Symbolic) -> Symbolic:
            given: list[Any] = []
            for tensor in node.inputs:
                if tensor in self.tensors:
                    k = activations.index(tensor)
                    part = row[:, starts[k] : starts[k + 1]]
                    given.append(part.reshape(1, *self.program.shapes[str(tensor)]))
                else:
                    given.append(Symbolic(self.program.constants[tensor]) if tensor else None)
            result: Symbolic = node.operator.compute(*given)
            return result.reshape(1, -1)

        self.add_piece(node, node.output, [words], [range(self.size(node.output))], compute)


def _products(program: Program, netlist: Netlist, settings: Settings, spared_dsps: int) -> Products | None:
    dots = [node.operator for node in program.nodes if isinstance(node.operator, PairwiseDot | SpurionDot)]
    coordinates = {operator.coordinates for operator in dots}
    if len(coordinates) != 1:
        return None
    return Products(netlist, coordinates.pop(), settings.winograd, settings.products == "fabric", spared_dsps)

"""Where padded particles are masked: once per particle, not once per pair."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators.pair_mix import PairMix
from nanopelican_hls.operators.pair_sum import PairSum
from nanopelican_hls.operators.particle_mix import ParticleMix
from nanopelican_hls.operators.particle_sum import ParticleSum
from nanopelican_hls.operators.relu import Relu
from nanopelican_hls.operators.spurion_sum import SpurionSum


@dataclass(frozen=True)
class Padding:
    """What a tensor has for padded particles, or for pairs with one, instead of the contract's value.

    Attributes
    ----------
    value : what it has instead.
    of_pairs : whether the entries of the tensor are pairs.
    """

    value: float
    of_pairs: bool = False


class Graph:
    """Producers and consumers of the tensors of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.outputs = {port.tensor for port in program.outputs}
        self.producers = {node.output: node for node in program.nodes}
        self.consumers: dict[str, list[Node]] = {}
        for node in program.nodes:
            for tensor in filter(None, node.inputs):
                self.consumers.setdefault(tensor, []).append(node)

    def elementwise(self, tensor: str) -> list[Node]:
        """Quantisers and ReLUs downstream of a tensor, before any other operator."""
        found = [node for node in self.consumers.get(tensor, ()) if node.operator.elementwise]
        return [each for node in found for each in (node, *self.elementwise(node.output))]

    def only_reader(self, tensor: str) -> Node | None:
        """The node that reads a tensor; None if several do, or if it is an output."""
        readers = self.consumers.get(tensor, [])
        return readers[0] if len(readers) == 1 and tensor not in self.outputs else None

    def users(self, node: Node) -> list[Node]:
        """The operators downstream, through quantisers and ReLUs; none if anything else reads a value on the way."""
        if node.output in self.outputs:
            return []
        readers = self.consumers.get(node.output, [])
        if len(readers) == 1 and readers[0].operator.elementwise:
            return self.users(readers[0])
        return [] if any(reader.operator.elementwise for reader in readers) else readers

    def operator_before(self, tensor: str | None) -> Node:
        """The node upstream of a tensor that is neither a quantiser nor a ReLU."""
        node = self.producers[str(tensor)]
        return self.operator_before(node.inputs[0]) if node.operator.elementwise else node


def padded_term(graph: Graph, mix: Node) -> float | None:
    """Output of the node ``mix`` for padded particles that makes masks in sums unnecessary; None if there is none.

    Only `ParticleMix` has one. It is 0 on the diagonal. In a row or column it is so negative that ReLU is 0 for every
    pair of the particle.
    """
    if not isinstance(mix.operator, ParticleMix):
        return None  # nothing else gives padded particles another value
    users = graph.users(mix)
    if len(users) != 1:
        return None
    (user,) = users
    if isinstance(user.operator, ParticleSum):
        return 0.0
    return _negative_term(graph, user) if isinstance(user.operator, PairMix) else None


def _negative_term(graph: Graph, mix: Node) -> float | None:
    """Minus the smallest power of two that ``w_d d`` plus the other term of `PairMix` never exceeds, by intervals."""
    chain = graph.elementwise(mix.output)
    users = graph.users(mix)
    if not users or any(not isinstance(user.operator, (PairSum, SpurionSum)) for user in users):
        return None
    if not chain or not isinstance(chain[0].operator, Relu):
        return None
    program, given = graph.program, mix.given
    weights = program.constants[given["w_d"]]
    products = [program.ranges[given[name]] for name in ("d", "d_jet") if name in given]
    terms = [program.ranges[given[name]] for name in ("row", "column") if name in given]
    scaled = [_high(product * FixedRange.of_values(weight)) for product in products for weight in weights]
    largest = max(scaled) + max(map(_high, terms))
    grid = max(term.exponent for term in terms)
    return -(2.0 ** max(grid, math.ceil(math.log2(largest)))) if largest > 0 else -(2.0**grid)


def _high(values: FixedRange) -> float:
    return math.ldexp(values.high, values.exponent)


def pads_pairs(graph: Graph, mix: Node) -> bool:
    """Whether the terms of a `PairMix` make it 0, after ReLU, for every pair with a padded particle."""
    terms = [graph.operator_before(mix.given[name]) for name in ("row", "column") if name in mix.given]
    return all(padded_term(graph, term) is not None for term in terms)


def needs_mask(graph: Graph, sums: Node) -> bool:
    """Whether a `PairSum`, `SpurionSum` or `ParticleSum` must mask padded particles itself."""
    node = graph.operator_before(sums.inputs[0])
    return not pads_pairs(graph, node) if isinstance(node.operator, PairMix) else padded_term(graph, node) is None

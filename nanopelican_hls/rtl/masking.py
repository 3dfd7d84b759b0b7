"""Where a padded particle is left out: once for the particle, not once for each of its pairs."""

from __future__ import annotations

import math

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators import PairMix, PairSum, ParticleMix, ParticleSum


class Graph:
    """Who gives and who takes the tensors of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.producers = {node.output: node for node in program.nodes}
        self.consumers: dict[str, list[Node]] = {}
        for node in program.nodes:
            for tensor in filter(None, node.inputs):
                self.consumers.setdefault(tensor, []).append(node)

    def elementwise(self, tensor: str) -> list[Node]:
        """Quantisers and ReLUs behind a tensor, and behind these."""
        found = [node for node in self.consumers.get(tensor, ()) if node.operator is None]
        return [each for node in found for each in (node, *self.elementwise(node.output))]

    def operator_before(self, tensor: str | None) -> Node:
        """The node with an operator that a tensor comes from, through quantisers and ReLUs."""
        node = self.producers[str(tensor)]
        return node if node.operator else self.operator_before(node.inputs[0])


def padded_term(graph: Graph, mix: Node) -> float | None:
    """What a `ParticleMix` may give for a padded particle instead, so that no sum needs a mask; None if nothing does.

    On the diagonal it is 0. In a row or a column it is so negative that ReLU gives 0 for every pair of the particle.
    """
    last = [mix, *graph.elementwise(mix.output)][-1]
    users = graph.consumers.get(last.output, [])
    if len(users) != 1:
        return None
    if users[0].operator is ParticleSum:
        return 0.0
    return _negative_term(graph, users[0]) if users[0].operator is PairMix else None


def _negative_term(graph: Graph, mix: Node) -> float | None:
    """Minus the smallest power of two that no ``w_d d`` and other term of `PairMix` exceed, by intervals."""
    chain = graph.elementwise(mix.output)
    users = [user.operator for user in graph.consumers.get(chain[-1].output, [])] if chain else []
    if not chain or chain[0].op_type != "Relu" or users != [PairSum]:
        return None
    inputs = dict(zip(PairMix.inputs, mix.inputs, strict=True))
    program = graph.program
    weights = program.constants[str(inputs["w_d"])]
    products = [program.ranges[str(inputs[name])] for name in ("d", "d_jet") if inputs[name]]
    terms = [program.ranges[str(inputs[name])] for name in ("row", "column") if inputs[name]]
    scaled = [_high(product * FixedRange.of_values(weight)) for product in products for weight in weights]
    largest = max(scaled) + max(map(_high, terms))
    grid = max(term.exponent for term in terms)
    return -(2.0 ** max(grid, math.ceil(math.log2(largest)))) if largest > 0 else -(2.0**grid)


def _high(values: FixedRange) -> float:
    return math.ldexp(values.high, values.exponent)


def needs_mask(graph: Graph, sums: Node) -> bool:
    """Whether a `PairSum` or `ParticleSum` has to leave out padded particles itself."""
    node = graph.operator_before(sums.inputs[0])
    if node.operator is PairMix:
        terms = dict(zip(PairMix.inputs, node.inputs, strict=True))
        mixes = [graph.operator_before(terms[name]) for name in ("row", "column") if terms[name]]
        return any(padded_term(graph, mix) is None for mix in mixes)
    return node.operator is not ParticleMix or padded_term(graph, node) is None

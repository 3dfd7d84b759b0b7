"""Cost of a choice of widths: stored bits, or an estimate of the adders in fabric."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import singledispatch

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.operators import Operator
from nanopelican_hls.operators.pair_mix import PairMix
from nanopelican_hls.operators.pair_sum import PairSum
from nanopelican_hls.operators.pairwise_dot import PairwiseDot
from nanopelican_hls.operators.particle_mix import ParticleMix
from nanopelican_hls.operators.particle_sum import ParticleSum
from nanopelican_hls.operators.quant import Quant
from nanopelican_hls.operators.readout import Readout
from nanopelican_hls.operators.row_sums import RowSums
from nanopelican_hls.operators.spurion_dot import SpurionDot
from nanopelican_hls.operators.total_sum import TotalSum
from nanopelican_hls.precision.widths import Widths, resized
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.topology.export import build_program

#: average fraction of non-zero digits of a constant in canonical signed digit form: b/3 of b bits
DIGITS_PER_BIT = 1 / 3


class Cost(ABC):
    """Cost of a network as a function of its quantiser widths; never decreases with a width."""

    def __init__(self, description: NetworkDescription) -> None:
        self._description = description

    @abstractmethod
    def __call__(self, widths: Widths) -> float:
        """The cost; tensors that are not given keep their widths."""


class HeldBits(Cost):
    """Bits of all quantised tensors of a jet and of all parameters: the sum of elements times bits."""

    def __init__(self, description: NetworkDescription) -> None:
        super().__init__(description)
        program = build_program(description)
        self._elements = {name: math.prod(program.shapes[name]) for name in program.quantisers}
        self._elements |= {name: value.size for name, value in description.parameters.items()}

    def __call__(self, widths: Widths) -> float:
        own = {name: quantiser.bits for name, quantiser in self._description.quantisers.items()}
        return float(sum(self._elements[name] * bits for name, bits in {**own, **widths}.items()))


class AdderBits(Cost):
    """Full adders of the unrolled network, an estimate (`adder_bits`); exponents change so as to keep the ranges."""

    def __call__(self, widths: Widths) -> float:
        return adder_bits(build_program(resized(self._description, widths)))


COSTS: dict[str, type[Cost]] = {"bits": HeldBits, "adders": AdderBits}


def adder_bits(program: Program) -> float:
    """Estimated full adders of a program, without sharing between operations: roughly LUTs of fabric, without DSPs.

    A product of a and b bits counts as a b; one with a constant of b bits as a b/3, the non-zero digits of the constant
    times a. A weight from a table over the multiplicity is no constant. A sum of n terms counts as n - 1 adders as wide
    as its result, by the exact ranges of the program; a quantiser that rounds to nearest as one adder of its width per
    element (truncation is free). Products of pairs are counted in the factored form used in the firmware. Comparisons,
    tables, registers and the conversion of Level-1 words are not counted.
    """
    return sum(_of_node(program, node) for node in program.nodes)


def _of_node(program: Program, node: Node) -> float:
    elements = math.prod(program.shapes[node.output])
    parameters = {name: program.constants[tensor] for name, tensor in node.parameters.items()}
    bits = {name: _bits(program, tensor) for name, tensor in node.given.items()}
    size = {name: math.prod(program.shapes.get(tensor, ())) for name, tensor in node.given.items()}
    tables = {name for name, value in parameters.items() if len(value) > 1 and value.ndim > 1}
    return _cost(node.operator, _Sizes(elements, program.ranges[node.output].bits, bits, size, tables))


@dataclass(frozen=True)
class _Sizes:
    """Elements and bits of a result, those of the inputs by name, and which parameters are tables."""

    elements: int
    width: int
    bits: Mapping[str, int]
    size: Mapping[str, int]
    tables: Collection[str]

    def cost(self, additions: int, *products: tuple[str, str, int]) -> float:
        """Cost of additions as wide as the result, and of a number of products of a tensor with a parameter."""
        given = [product for product in products if product[0] in self.bits]
        digits = {w: 1.0 if w in self.tables else DIGITS_PER_BIT for _, w, _ in given}
        return sum(count * self.bits[x] * self.bits[w] * digits[w] for x, w, count in given) + additions * self.width


@singledispatch
def _cost(operator: Operator, of: _Sizes) -> float:  # noqa: ARG001
    """Full adders of an operator, by class; 0 for operators that are not counted."""
    return 0.0


@_cost.register
def _(operator: Quant, of: _Sizes) -> float:
    quantiser = operator.quantiser
    return of.elements * quantiser.bits if quantiser.rounding is Rounding.ROUND else 0.0


@_cost.register
def _(operator: PairwiseDot, of: _Sizes) -> float:
    return _pairwise(list(of.bits.values()), of.size["c0"], of.elements, of.width, operator.coordinates)


@_cost.register
def _(operator: SpurionDot, of: _Sizes) -> float:
    of_spurion = "1023" if operator.coordinates == "light_cone" else "0123"
    spurion = "s" if "s0" in of.bits else "c"  # without one, each particle times itself
    terms = [(f"c{k}", f"{spurion}{partner}") for k, partner in enumerate(of_spurion) if f"c{k}" in of.bits]
    return of.elements * (sum(of.bits[a] * of.bits[b] for a, b in terms) + (len(terms) - 1) * of.width)


@_cost.register
def _(operator: RowSums, of: _Sizes) -> float:  # noqa: ARG001
    return of.cost(of.elements * max(0, of.elements - 2))  # for every particle, over all others


@_cost.register
def _(operator: TotalSum, of: _Sizes) -> float:  # noqa: ARG001
    return of.cost(of.size["r"] - 1)


@_cost.register(PairSum)
@_cost.register(ParticleSum)
def _(operator: PairSum | ParticleSum, of: _Sizes) -> float:  # noqa: ARG001
    return of.cost(of.size["z"] - of.elements)


@_cost.register
def _(operator: ParticleMix, of: _Sizes) -> float:  # noqa: ARG001
    channels = of.elements // of.size["r"]
    shared = [term for term in (("s", "w_s", channels), ("d_jj", "w_jj", channels)) if term[0] in of.size]
    return of.cost(of.elements * ("s" in of.size) + channels * len(shared), ("r", "w_r", of.elements), *shared)


@_cost.register
def _(operator: PairMix, of: _Sizes) -> float:  # noqa: ARG001
    d, d_jet = of.size["d"], of.size.get("d_jet", 0)
    channels = of.elements // (d + d_jet) // (2 if "column" in of.size else 1)
    return of.cost(2 * of.elements, ("d", "w_d", d * channels), ("d_jet", "w_d", d_jet * channels))


@_cost.register
def _(operator: Readout, of: _Sizes) -> float:  # noqa: ARG001
    channels = of.size["pair_sum"]
    return of.cost(2 * channels, ("pair_sum", "k_pair", channels), ("diagonal_sum", "k_diagonal", channels))


def _bits(program: Program, tensor: str) -> int:
    if tensor in program.parameter_quantisers:
        return program.parameter_quantisers[tensor].bits
    return program.ranges[tensor].bits if tensor in program.ranges else 0


def _pairwise(bits: list[int], constituents: int, pairs: int, width: int, coordinates: str) -> float:
    if coordinates != "light_cone":
        return pairs * (sum(b * b for b in bits) + 3 * width)
    plus, minus, y, z = bits
    transverse = max(y, z) + 1
    of_pair = (plus + 1) * (minus + 1) + transverse**2 + 2 * width + plus + minus + 2 * transverse
    return pairs * of_pair + constituents * (plus * minus + y * z + width)

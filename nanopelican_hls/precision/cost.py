"""What a choice of widths costs: bits that are held, or an estimate of the adders in the fabric."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.precision.widths import Widths, resized
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.topology.export import build_model

#: non-zero digits of a constant of b bits in canonical signed form: b/3 of them on average
DIGITS_PER_BIT = 1 / 3


class Cost(ABC):
    """Cost of a network by the widths of its quantisers; never less for a wider one."""

    def __init__(self, description: NetworkDescription) -> None:
        self._description = description

    @abstractmethod
    def __call__(self, widths: Widths) -> float:
        """The cost; tensors that are not given keep their widths."""


class HeldBits(Cost):
    """Bits of all quantised tensors of a jet and of all parameters: the sum of elements times bits."""

    def __init__(self, description: NetworkDescription) -> None:
        super().__init__(description)
        program = Program.parse(build_model(description))
        self._elements = {name: math.prod(program.shapes[name]) for name in program.quantisers}
        self._elements |= {name: value.size for name, value in description.parameters.items()}

    def __call__(self, widths: Widths) -> float:
        own = {name: quantiser.bits for name, quantiser in self._description.quantisers.items()}
        return float(sum(self._elements[name] * bits for name, bits in {**own, **widths}.items()))


class AdderBits(Cost):
    """Full adders of the unrolled network, an estimate (`adder_bits`); exponents are such that ranges stay."""

    def __call__(self, widths: Widths) -> float:
        return adder_bits(Program.parse(build_model(resized(self._description, widths))))


COSTS: dict[str, type[Cost]] = {"bits": HeldBits, "adders": AdderBits}


def adder_bits(program: Program) -> float:
    """Full adders of a program, every operation for itself: roughly LUTs of fabric, without any DSP. An estimate.

    A product of a and b bits counts a b; one with a constant of b bits a b/3, the non-zero digits of the constant times
    a. A sum of n terms counts n - 1 adders as wide as its result, by the exact ranges of the program; a quantiser that
    rounds to nearest one adder of its width for every element (truncation is free). Products of pairs are counted in
    the factored form that the firmware has. Comparisons, registers and the conversion of Level-1 words are not
    counted.
    """
    return sum(_of_node(program, node) for node in program.nodes)


def _of_node(program: Program, node: Node) -> float:
    elements = math.prod(program.shapes[node.output])
    if node.quantiser is not None:
        return elements * node.quantiser.bits if node.quantiser.rounding is Rounding.ROUND else 0.0
    inputs = {} if node.operator is None else dict(zip(node.operator.inputs, node.inputs, strict=True))
    bits = {name: _bits(program, tensor) for name, tensor in inputs.items() if tensor}
    size = {name: math.prod(program.shapes.get(tensor, ())) for name, tensor in inputs.items() if tensor}
    width = program.ranges[node.output].bits
    if node.op_type == "PairwiseDot":
        return _pairwise(list(bits.values()), size["c0"], elements, width, node.attributes["coordinates"])
    if node.op_type == "SpurionDot":
        of_spurion = "1023" if node.attributes["coordinates"] == "light_cone" else "0123"
        terms = [(f"c{k}", f"s{partner}") for k, partner in enumerate(of_spurion) if f"c{k}" in bits]
        return elements * (sum(bits[a] * bits[b] for a, b in terms) + (len(terms) - 1) * width)
    additions, products = _sums(node.op_type, elements, size)
    constant = sum(count * bits[x] * bits[w] * DIGITS_PER_BIT for x, w, count in products if x in bits and w in bits)
    return constant + additions * width


def _sums(operator: str, elements: int, size: dict[str, int]) -> tuple[int, list[tuple[str, str, int]]]:
    """Additions of an operator, and its products of a tensor and a parameter with their number."""
    if operator == "RowSums":  # of every particle, over all others
        return elements * max(0, elements - 2), []
    if operator == "TotalSum":
        return size["r"] - 1, []
    if operator in ("PairSum", "ParticleSum"):
        return next(iter(size.values())) - elements, []
    if operator == "ParticleMix":
        channels = elements // size["r"]
        shared = [("s", "w_s", channels), ("d_jj", "w_jj", channels)]
        given = [term for term in shared if term[0] in size]
        return elements * ("s" in size) + channels * len(given), [("r", "w_r", elements), *given]
    if operator == "PairMix":
        channels = elements // (size["d"] + size.get("d_jet", 0)) // (2 if "column" in size else 1)
        products = [("d", "w_d", size["d"] * channels), ("d_jet", "w_d", size.get("d_jet", 0) * channels)]
        return 2 * elements, products
    if operator == "Readout":
        channels = size["pair_sum"]
        return 2 * channels, [("pair_sum", "k_pair", channels), ("diagonal_sum", "k_diagonal", channels)]
    return 0, []


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

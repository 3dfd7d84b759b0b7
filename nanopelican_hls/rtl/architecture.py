"""A program of the contract as hardware: which pieces there are, how often, and what is wired to what (docs/rtl.md).

What an operator computes is written in `Operator.compute` alone. Here stands how it falls into equal pieces: one pair,
one particle, one channel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nanopelican_hls.contract.program import Node, Program
from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators import (
    BEAMS,
    AngleDifference,
    JetFromL1,
    LightConeFromL1,
    PairMix,
    PairSum,
    PairwiseDot,
    ParticleMask,
    ParticleMix,
    ParticleSum,
    RowSums,
    SpurionDot,
)
from nanopelican_hls.operators._arrays import pair_count, pairs
from nanopelican_hls.rtl import products
from nanopelican_hls.rtl.masking import needs_mask, padded_term
from nanopelican_hls.rtl.netlist import Netlist, Value, Word
from nanopelican_hls.rtl.piece import Number
from nanopelican_hls.rtl.piece_builder import PieceBuilder, Values
from nanopelican_hls.rtl.products import Products, Vector
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.symbolic import ENTRY_BITS, Symbolic
from nanopelican_hls.rtl.tracer import port_quantisers

#: operators that do the same to every particle: inputs [B, K], or [B, 1] for all
PER_PARTICLE = (AngleDifference, LightConeFromL1, JetFromL1)

PRODUCTS = ("dsp", "fabric")
#: what a level of logic is taken for when stages are cut: a look-up table or a short adder, and a wire
LEVEL_NS = 0.7


@dataclass(frozen=True)
class Settings:
    """How a program becomes hardware.

    Attributes
    ----------
    levels_per_stage : levels of logic (alkaid's delay model: an adder is 1.1 to 1.4) between two registers.
    products : what multiplies: ``dsp``, chains of DSPs; or ``fabric``, look-up tables.
    winograd : two products a pair, of sums, in place of four.
    most_dsps : with ``dsp``, as many as there may be; look-up tables multiply the rest. None for no limit.
    """

    levels_per_stage: float = 4.0
    products: str = "dsp"
    winograd: bool = True
    most_dsps: int | None = None


def open_settings(
    clock_period_ns: float, products: str = "dsp", winograd: bool | None = None, most_dsps: int | None = None
) -> Settings:
    """Settings for a clock period: as many levels as it holds; Winograd's form by default where it pays, with DSPs.

    Parameters
    ----------
    clock_period_ns : float
    products, winograd, most_dsps
        As for `Settings`.
    """
    levels = max(1.0, clock_period_ns / LEVEL_NS)
    return Settings(levels, products, products == "dsp" if winograd is None else winograd, most_dsps)


def build(program: Program, prefix: str, settings: Settings) -> tuple[Netlist, Value]:
    """The hardware of a program, and its output; ports are nets ``<tensor>_<element>``, registered, in cycle 0."""
    netlist, output = _Architecture(program, Netlist(prefix, settings.levels_per_stage), settings).run()
    excess = 0 if settings.most_dsps is None else dsps(netlist, settings).total() - settings.most_dsps
    if excess <= 0:
        return netlist, output
    return _Architecture(program, Netlist(prefix, settings.levels_per_stage), settings, excess).run()


def dsps(netlist: Netlist, settings: Settings) -> Counter[str]:
    """By module, of all its instances: of products of momenta, and of traced pieces, which convert trigger words."""
    if settings.products != "dsp":
        return Counter()
    of_one = {products.MODULE: 1} | {module: piece.costs.dsps for module, piece in netlist.pieces.items()}
    return Counter({module: count * of_one.get(module, 0) for module, count in netlist.count().items()})


class _Architecture(PieceBuilder):
    def __init__(self, program: Program, netlist: Netlist, settings: Settings, spared_dsps: int = 0) -> None:
        super().__init__(program, netlist)
        dots = [node for node in program.nodes if node.operator in (PairwiseDot, SpurionDot)]
        coordinates = {node.attributes["coordinates"] for node in dots}
        self.products = (
            Products(netlist, coordinates.pop(), settings.winograd, settings.products == "fabric", spared_dsps)
            if len(coordinates) == 1
            else None
        )

    def run(self) -> tuple[Netlist, Value]:
        for tensor, quantiser in port_quantisers(self.program).items():
            number = Number(quantiser.range, quantiser.bits, quantiser.signed)
            words = [self.netlist.wire(f"{tensor}_{k}", number, Time(0, 0.0)) for k in range(self.size(tensor))]
            self.store(tensor, range(len(words)), words)
            self.done.add(tensor)
        for node in self.program.nodes:
            if node.output not in self.done:
                self._add(node)
        (output,) = self.tensors[self.program.outputs[0]].ravel()
        return self.netlist, output

    def _add(self, node: Node) -> None:
        operator = node.operator
        if operator is PairwiseDot:
            self._pairwise_dot(node)
        elif operator is SpurionDot:
            self._spurion_dot(node)
        elif operator in PER_PARTICLE:
            self._per_particle(node)
        elif operator is ParticleMask:
            self._mask(node)
        elif operator is RowSums:
            self._row_sums(node)
        elif operator is ParticleMix:
            self._particle_mix(node)
        elif operator is PairMix:
            self._pair_mix(node)
        elif operator in (PairSum, ParticleSum):
            self._channel_sums(node)
        else:
            self.add_whole(node)

    def _per_particle(self, node: Node) -> None:
        """One particle; its inputs stand in the order of the operator's."""
        operator = node.operator
        assert operator is not None
        inputs = self.inputs_of(node)
        count = self.program.shapes[node.output][0]
        lanes = [[values[k if len(values) > 1 else 0] for values in inputs.values()] for k in range(count)]
        parameters = {name: Symbolic(value) for name, value in self.parameters_of(node).items()}

        def compute(row: Symbolic) -> Symbolic:
            given = {name: row[:, k : k + 1] for k, name in enumerate(inputs)} | parameters
            result: Symbolic = operator.compute(*[given.get(name) for name in operator.inputs], **node.attributes)
            return result

        self.add_piece(node, node.output, lanes, [[k] for k in range(count)], compute)

    def _pairwise_dot(self, node: Node) -> None:
        components = list(self.inputs_of(node).values())
        beams = [tuple(BEAMS[b][k] for k in range(4)) for b in range(node.attributes["beams"])]
        particles = [*beams, *zip(*components, strict=True)]
        lanes = [(particles[i], particles[j]) for i, j in zip(*pairs(len(particles)), strict=True)]
        self._dots(node, lanes)

    def _spurion_dot(self, node: Node) -> None:
        inputs = list(self.inputs_of(node).values())
        particles, spurions = inputs[: len(inputs) // 2], inputs[len(inputs) // 2 :]
        (spurion,) = zip(*spurions, strict=True)
        self._dots(node, [(particle, spurion) for particle in zip(*particles, strict=True)])

    def _dots(self, node: Node, lanes: Sequence[tuple[Vector, Vector]]) -> None:
        """Minkowski products; in DSPs where both vectors are variables, and not too wide."""
        in_dsp = [
            k for k, lane in enumerate(lanes) if self.products and all(isinstance(v, Word) for v in sum(lane, ()))
        ]
        if in_dsp:
            values, half = self.program.ranges[node.output], self.half_unit(node)
            assert self.products
            dots = self.products.dots(node.output, [lanes[k] for k in in_dsp], values, half)
            if dots is None:
                in_dsp = []
            else:
                self.add_piece(
                    node, node.output, [[dot] for dot in dots], [[k] for k in in_dsp], _same, half_added=half > 0
                )
        rest = [k for k in range(len(lanes)) if k not in set(in_dsp)]
        coordinates = node.attributes["coordinates"]

        def compute(row: Symbolic) -> Symbolic:
            count = row.shape[1] // 2
            parts: list[Symbolic | None] = [row[:, k : k + 1] for k in range(row.shape[1])]
            one, other = (parts[:count] + [None] * (4 - count), parts[count:] + [None] * (4 - count))
            result: Symbolic = SpurionDot.compute(*one, *other, coordinates=coordinates)
            return result

        if rest:
            flat = [[*lanes[k][0], *lanes[k][1]] for k in rest]
            self.add_piece(node, f"{node.output}_traced", flat, [[k] for k in rest], compute)

    def _mask(self, node: Node) -> None:
        (c0,) = self.inputs_of(node).values()
        spurions = node.attributes["spurions"]
        self.store(node.output, range(spurions), [1.0] * spurions)
        index = [[spurions + k] for k in range(len(c0))]
        self.add_piece(node, node.output, [[c] for c in c0], index, lambda row: ParticleMask.compute(row, spurions=0))

    def _row_sums(self, node: Node) -> None:
        inputs = self.inputs_of(node)
        count = self.program.shapes[node.output][0]
        spurions = int("d_jet" in inputs)
        rows: list[list[Value]] = [[] for _ in range(count)]
        for d, i, j in zip(inputs["d"], *pairs(count - spurions), strict=True):
            rows[spurions + i].append(d)
            rows[spurions + j].append(d)
        if spurions:
            rows[0] = [*inputs["d_jet"], *inputs["d_jj"]]
            for row, d_jet in zip(rows[1:], inputs["d_jet"], strict=True):
                row.append(d_jet)
            self.add_piece(node, f"{node.output}_jet", rows[:1], [[0]], _total)
        index = [[k] for k in range(spurions, count)]
        self.add_piece(node, node.output, rows[spurions:], index, _total)

    def _particle_mix(self, node: Node) -> None:
        """``w_s S + b(n)`` once, and the rest for each particle."""
        inputs, parameters = self.inputs_of(node), self.parameters_of(node)
        count, channels = self.program.shapes[node.output]
        constants = {name: Symbolic(value) for name, value in parameters.items()}
        half = self.half_unit(node) if "s" in inputs else 0.0
        if half and (FixedRange.of_values(parameters["bias"]) + FixedRange.of_values(half)).bits > ENTRY_BITS:
            half = 0.0  # one constant with both would have more bits than the tracer holds
        shared = self._shared_terms(node, inputs, constants, half) if "s" in inputs else []
        own = {name: constants.get(name) for name in ("w_r", "w_jj")}
        padded = padded_term(self.graph, node)
        masked = padded is not None

        def compute(row: Symbolic) -> Symbolic:
            d_jj = row[:, 1 : row.shape[1] - len(shared) - masked]
            jet = (d_jj, own["w_jj"]) if d_jj.shape[1] else (None, None)
            mixed = ParticleMix.compute(row[:, :1], None, own["w_r"], None, None, None, *jet).reshape(1, -1)
            if shared:
                end = row.shape[1] - masked
                mixed = mixed + row[:, end - 2 * channels : end - channels] + row[:, end - channels : end]
            return mixed  # type: ignore[no-any-return]

        lanes, index = [], []
        for k in range(count):
            mask = [self._mask_of(k)] if masked else []
            d_jj = list(inputs["d_jj"]) if k == 0 and "d_jj" in inputs else []
            lanes.append([inputs["r"][k], *d_jj, *shared, *mask])
            index.append(range(k * channels, (k + 1) * channels))
        heads = 1 if "d_jj" in inputs else 0
        if heads:
            self.add_piece(node, f"{node.output}_jet", lanes[:1], index[:1], compute, padded, half_added=half > 0)
        self.add_piece(node, node.output, lanes[heads:], index[heads:], compute, padded, half_added=half > 0)

    def _shared_terms(
        self, node: Node, inputs: dict[str, Values], constants: dict[str, Symbolic], half: float
    ) -> list[Value]:
        """Of all channels, in two halves: a particle's own term, with which they are added, is there sooner."""
        names = ("w_r", "w_s", "bias")
        mask = list(inputs.get("mask", ()))

        def compute(row: Symbolic) -> Symbolic:
            zero = Symbolic(np.zeros((1, 1)))
            valid = row[:, 1:] if mask else None
            w_r, w_s, bias = (constants[name] for name in names)
            terms: Symbolic = ParticleMix.compute(zero, row[:, :1], w_r, w_s, bias + half, valid, None, None)
            return terms.reshape(1, -1).halves()

        (terms,) = self.netlist.lanes(f"{node.output}_shared", [[*inputs["s"], *mask]], compute)
        return terms

    def _mask_of(self, particle: int) -> Value:
        (mask,) = (node.output for node in self.program.nodes if node.operator is ParticleMask)
        value: Value = self.tensors[mask][particle]
        return value

    def _pair_mix(self, node: Node) -> None:
        inputs = self.inputs_of(node)
        weights = Symbolic(self.parameters_of(node)["w_d"])
        row, column = inputs["row"], inputs.get("column")
        channels = row.shape[1]
        products = [*inputs.get("d_jet", ()), *inputs["d"]]
        terms = [row] if column is None else [row, column]
        lanes = [
            [d, *(value for term in terms for k in (i, j) for value in term[k])]
            for d, i, j in zip(products, *pairs(len(row)), strict=True)
        ]
        entries = pair_count(len(row))
        index = [
            [(order * entries + k) * channels + c for order in range(len(terms)) for c in range(channels)]
            for k in range(entries)
        ]

        half = self.half_unit(node)
        added = np.array([half, half if len(terms) > 1 else 0.0]).reshape(1, 2, 1)  # once for each entry

        def compute(lane: Symbolic) -> Symbolic:
            given = [
                lane[:, 1 + 2 * channels * k : 1 + 2 * channels * (k + 1)].reshape(1, 2, channels)
                for k in range(len(terms))
            ]
            other = given[1] if len(given) > 1 else None
            return PairMix.compute(lane[:, :1], given[0] + added, weights, other, None).reshape(1, -1)  # type: ignore[no-any-return]

        self.add_piece(node, node.output, lanes, index, compute, half_added=half > 0)

    def _channel_sums(self, node: Node) -> None:
        """One channel; the masks have done their work before, where they could."""
        values, mask = (self.inputs_of(node)[name] for name in node.operator.inputs)  # type: ignore[union-attr]
        entries, channels = values.shape
        operator = node.operator
        assert operator is not None
        masked = needs_mask(self.graph, node)
        lanes = [[*values[:, c], *(mask if masked else ())] for c in range(channels)]

        def compute(row: Symbolic) -> Symbolic:
            ones = Symbolic(np.ones((1, len(mask))))
            z = row[:, :entries].reshape(1, entries, 1)
            result: Symbolic = operator.compute(z, row[:, entries:] if masked else ones)
            return result

        self.add_piece(node, node.output, lanes, [[c] for c in range(channels)], compute)


def _same(row: Symbolic) -> Symbolic:
    return row


def _total(row: Symbolic) -> Symbolic:
    return row.sum(1).reshape(1, 1)

"""A program of the contract as hardware: which pieces there are, how often, and what is wired to what (docs/rtl.md).

What an operator computes is written in `Operator.compute` alone. Here stands how it falls into equal pieces: one pair,
one particle, one channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.program import Node, Program
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
from nanopelican_hls.operators._arrays import concatenate, pair_count, pairs
from nanopelican_hls.rtl.masking import Graph, needs_mask, padded_term
from nanopelican_hls.rtl.netlist import Netlist, Value, Word
from nanopelican_hls.rtl.piece import Number
from nanopelican_hls.rtl.products import Products, Vector
from nanopelican_hls.rtl.quantise import adds_half
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.symbolic import Symbolic
from nanopelican_hls.rtl.tracer import port_quantisers

#: operators that do the same to every particle: inputs [B, K], or [B, 1] for all
PER_PARTICLE = (AngleDifference, LightConeFromL1, JetFromL1)

PRODUCTS = ("dsp", "fabric")

Values = NDArray[Any]  # of Value, in the shape of the tensor
Lane = Sequence[Value]
Compute = Callable[[Symbolic], Symbolic]


@dataclass(frozen=True)
class Settings:
    """How a program becomes hardware.

    Attributes
    ----------
    levels_per_stage : levels of logic (alkaid's delay model: an adder is 1.1 to 1.4) between two registers.
    products : what multiplies: ``dsp``, chains of DSPs; or ``fabric``, look-up tables.
    winograd : two products a pair, of sums, in place of four.
    """

    levels_per_stage: float = 4.0
    products: str = "dsp"
    winograd: bool = True


def build(program: Program, prefix: str, settings: Settings) -> tuple[Netlist, Value]:
    """The hardware of a program, and its output; ports are nets ``<tensor>_<element>``, registered, in cycle 0."""
    return _Builder(program, Netlist(prefix, settings.levels_per_stage), settings).run()


class _Builder:
    def __init__(self, program: Program, netlist: Netlist, settings: Settings) -> None:
        self.program, self.netlist = program, netlist
        dots = [node for node in program.nodes if node.operator in (PairwiseDot, SpurionDot)]
        coordinates = {node.attributes["coordinates"] for node in dots}
        self.products = (
            Products(netlist, coordinates.pop(), settings.winograd, settings.products == "fabric")
            if len(coordinates) == 1
            else None
        )
        self.tensors: dict[str, Values] = {}
        self.done: set[str] = set()
        self.graph = Graph(program)

    def run(self) -> tuple[Netlist, Value]:
        for tensor, quantiser in port_quantisers(self.program).items():
            number = Number(quantiser.range, quantiser.bits, quantiser.signed)
            words = [self.netlist.wire(f"{tensor}_{k}", number, Time(0, 0.0)) for k in range(self._size(tensor))]
            self._store(tensor, range(len(words)), words)
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
            self._whole(node)

    # tensors

    def _size(self, tensor: str) -> int:
        return int(np.prod(self.program.shapes[tensor]))

    def _store(self, tensor: str, index: Sequence[int], values: Lane) -> None:
        if tensor not in self.tensors:
            self.tensors[tensor] = np.empty(self.program.shapes[tensor], dtype=object)
        flat = self.tensors[tensor].reshape(-1)
        for place, value in zip(index, values, strict=True):
            flat[place] = value

    def _inputs(self, node: Node) -> dict[str, Values]:
        """Activations by the names of the operator's inputs."""
        assert node.operator
        names = zip(node.operator.inputs, node.inputs, strict=True)
        return {name: self.tensors[t] for name, t in names if t and name not in node.operator.parameters}

    def _parameters(self, node: Node) -> dict[str, NDArray[np.float64]]:
        assert node.operator
        names = zip(node.operator.inputs, node.inputs, strict=True)
        return {name: self.program.constants[t] for name, t in names if t and name in node.operator.parameters}

    # pieces

    def _piece(
        self,
        node: Node,
        name: str,
        lanes: Sequence[Lane],
        index: Sequence[Sequence[int]],
        compute: Compute,
        padded: float | None = None,
        half_added: bool = False,
    ) -> None:
        """Equal lanes that give elements `index` of a node's output, and of what is computed from it elementwise.

        `padded` is what it gives instead, at the end of the chain, where the last input, a mask, is 0.
        With `half_added`, `compute` gives the output plus half a unit of the quantiser behind it (`_half`).
        """
        chain = self.graph.elementwise(node.output)
        inside = {node.output, *(each.output for each in chain)}
        self.done |= inside
        wanted = [
            tensor
            for tensor in (node.output, *(each.output for each in chain))
            if tensor in self.program.outputs or self._is_used_outside(tensor, inside)
        ]

        def lane(row: Symbolic) -> Symbolic:
            values = {node.output: compute(row)}
            if half_added:
                values[chain[-1].output] = self._rounded(values[node.output], chain)
            else:
                self._follow(node, chain, values)
            if padded is not None:
                values[wanted[-1]] = values[wanted[-1]].chosen(row[:, row.shape[1] - 1 :], padded)
            return concatenate([values[tensor] for tensor in wanted], 1)  # type: ignore[no-any-return]

        for places, results in zip(index, self.netlist.lanes(name, lanes, lane), strict=True):
            count = len(places)
            for k, tensor in enumerate(wanted):
                self._store(tensor, places, results[k * count : (k + 1) * count])

    def _follow(self, node: Node, chain: Sequence[Node], values: dict[str, Symbolic]) -> None:
        """Quantisers and ReLUs behind a node, each by itself."""
        if node.operator is not PairMix:  # padded particles may lie below the range of z
            values[node.output] = values[node.output].known_within(self.program.ranges[node.output])
        for each in chain:
            source = values[str(each.inputs[0])]
            result = source.quantised(each.quantiser) if each.quantiser else source.rectified()
            values[each.output] = result.known_within(self.program.ranges[each.output])

    def _rounded(self, value: Symbolic, chain: Sequence[Node]) -> Symbolic:
        """What a quantiser gives, perhaps behind a ReLU, of a number with half a unit added.

        ReLU may as well come before the half is taken off: what it makes 0 rounds to 0.
        """
        quantiser = chain[-1].quantiser
        assert quantiser is not None
        return (value.rectified() if len(chain) > 1 else value).quantised(quantiser, half_added=True)

    def _half(self, node: Node) -> float:
        """Half a unit of the quantiser behind a node, perhaps behind a ReLU, if it rounds and nothing else takes part.

        Where a constant costs nothing it is added before, and saves an addition for each number.
        """
        chain = self.graph.elementwise(node.output)
        before = [node.output, *(each.output for each in chain[:-1])]
        if not chain or any(
            len(self.graph.consumers[tensor]) > 1 or tensor in self.program.outputs for tensor in before
        ):
            return 0.0
        quantiser = chain[-1].quantiser
        if quantiser is None or any(each.quantiser for each in chain[:-1]):
            return 0.0
        return quantiser.scale / 2 if adds_half(quantiser, self.program.ranges[node.output].exponent) else 0.0

    def _is_used_outside(self, tensor: str, inside: set[str]) -> bool:
        return any(user.output not in inside for user in self.graph.consumers.get(tensor, ()))

    def _whole(self, node: Node) -> None:
        """A node in one piece."""
        activations = [t for t in node.inputs if t in self.tensors]
        sizes = [self._size(str(t)) for t in activations]
        starts = np.cumsum([0, *sizes])
        words = [value for t in activations for value in self.tensors[str(t)].ravel()]

        def compute(row: Symbolic) -> Symbolic:
            given: list[Any] = []
            for tensor in node.inputs:
                if tensor in self.tensors:
                    k = activations.index(tensor)
                    part = row[:, starts[k] : starts[k + 1]]
                    given.append(part.reshape(1, *self.program.shapes[str(tensor)]))
                else:
                    given.append(Symbolic(self.program.constants[tensor]) if tensor else None)
            if node.operator is None:
                result = given[0].quantised(node.quantiser) if node.quantiser else given[0].rectified()
            else:
                result = node.operator.compute(*given, **node.attributes)
            return result.reshape(1, -1)  # type: ignore[no-any-return]

        self._piece(node, node.output, [words], [range(self._size(node.output))], compute)

    def _per_particle(self, node: Node) -> None:
        """One particle; its inputs stand in the order of the operator's."""
        operator = node.operator
        assert operator is not None
        inputs = self._inputs(node)
        count = self.program.shapes[node.output][0]
        lanes = [[values[k if len(values) > 1 else 0] for values in inputs.values()] for k in range(count)]
        parameters = {name: Symbolic(value) for name, value in self._parameters(node).items()}

        def compute(row: Symbolic) -> Symbolic:
            given = {name: row[:, k : k + 1] for k, name in enumerate(inputs)} | parameters
            result: Symbolic = operator.compute(*[given.get(name) for name in operator.inputs], **node.attributes)
            return result

        self._piece(node, node.output, lanes, [[k] for k in range(count)], compute)

    def _pairwise_dot(self, node: Node) -> None:
        components = list(self._inputs(node).values())
        beams = [tuple(BEAMS[b][k] for k in range(4)) for b in range(node.attributes["beams"])]
        particles = [*beams, *zip(*components, strict=True)]
        lanes = [(particles[i], particles[j]) for i, j in zip(*pairs(len(particles)), strict=True)]
        self._dots(node, lanes)

    def _spurion_dot(self, node: Node) -> None:
        inputs = list(self._inputs(node).values())
        particles, spurions = inputs[: len(inputs) // 2], inputs[len(inputs) // 2 :]
        (spurion,) = zip(*spurions, strict=True)
        self._dots(node, [(particle, spurion) for particle in zip(*particles, strict=True)])

    def _dots(self, node: Node, lanes: Sequence[tuple[Vector, Vector]]) -> None:
        """Minkowski products; in DSPs where both vectors are variables, and not too wide."""
        in_dsp = [
            k for k, lane in enumerate(lanes) if self.products and all(isinstance(v, Word) for v in sum(lane, ()))
        ]
        if in_dsp:
            values, half = self.program.ranges[node.output], self._half(node)
            assert self.products
            dots = self.products.dots(node.output, [lanes[k] for k in in_dsp], values, half)
            if dots is None:
                in_dsp = []
            else:
                self._piece(
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
            self._piece(node, f"{node.output}_traced", flat, [[k] for k in rest], compute)

    def _mask(self, node: Node) -> None:
        (c0,) = self._inputs(node).values()
        spurions = node.attributes["spurions"]
        self._store(node.output, range(spurions), [1.0] * spurions)
        index = [[spurions + k] for k in range(len(c0))]
        self._piece(node, node.output, [[c] for c in c0], index, lambda row: ParticleMask.compute(row, spurions=0))

    def _row_sums(self, node: Node) -> None:
        inputs = self._inputs(node)
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
            self._piece(node, f"{node.output}_jet", rows[:1], [[0]], _total)
        index = [[k] for k in range(spurions, count)]
        self._piece(node, node.output, rows[spurions:], index, _total)

    def _particle_mix(self, node: Node) -> None:
        """``w_s S + b(n)`` once, and the rest for each particle."""
        inputs, parameters = self._inputs(node), self._parameters(node)
        count, channels = self.program.shapes[node.output]
        constants = {name: Symbolic(value) for name, value in parameters.items()}
        half = self._half(node) if "s" in inputs else 0.0
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
                mixed = mixed + row[:, end - channels : end]
            return mixed  # type: ignore[no-any-return]

        lanes, index = [], []
        for k in range(count):
            mask = [self._mask_of(k)] if masked else []
            d_jj = list(inputs["d_jj"]) if k == 0 and "d_jj" in inputs else []
            lanes.append([inputs["r"][k], *d_jj, *shared, *mask])
            index.append(range(k * channels, (k + 1) * channels))
        heads = 1 if "d_jj" in inputs else 0
        if heads:
            self._piece(node, f"{node.output}_jet", lanes[:1], index[:1], compute, padded, half_added=half > 0)
        self._piece(node, node.output, lanes[heads:], index[heads:], compute, padded, half_added=half > 0)

    def _shared_terms(
        self, node: Node, inputs: dict[str, Values], constants: dict[str, Symbolic], half: float
    ) -> list[Value]:
        names = ("w_r", "w_s", "bias")
        mask = list(inputs.get("mask", ()))

        def compute(row: Symbolic) -> Symbolic:
            zero = Symbolic(np.zeros((1, 1)))
            valid = row[:, 1:] if mask else None
            w_r, w_s, bias = (constants[name] for name in names)
            terms: Symbolic = ParticleMix.compute(zero, row[:, :1], w_r, w_s, bias + half, valid, None, None)
            return terms.reshape(1, -1)

        (terms,) = self.netlist.lanes(f"{node.output}_shared", [[*inputs["s"], *mask]], compute)
        return terms

    def _mask_of(self, particle: int) -> Value:
        (mask,) = (node.output for node in self.program.nodes if node.operator is ParticleMask)
        value: Value = self.tensors[mask][particle]
        return value

    def _pair_mix(self, node: Node) -> None:
        inputs = self._inputs(node)
        weights = Symbolic(self._parameters(node)["w_d"])
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

        half = self._half(node)
        added = np.array([half, half if len(terms) > 1 else 0.0]).reshape(1, 2, 1)  # once for each entry

        def compute(lane: Symbolic) -> Symbolic:
            given = [
                lane[:, 1 + 2 * channels * k : 1 + 2 * channels * (k + 1)].reshape(1, 2, channels)
                for k in range(len(terms))
            ]
            other = given[1] if len(given) > 1 else None
            return PairMix.compute(lane[:, :1], given[0] + added, weights, other, None).reshape(1, -1)  # type: ignore[no-any-return]

        self._piece(node, node.output, lanes, index, compute, half_added=half > 0)

    def _channel_sums(self, node: Node) -> None:
        """One channel; the masks have done their work before, where they could."""
        values, mask = (self._inputs(node)[name] for name in node.operator.inputs)  # type: ignore[union-attr]
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

        self._piece(node, node.output, lanes, [[c] for c in range(channels)], compute)


def _same(row: Symbolic) -> Symbolic:
    return row


def _total(row: Symbolic) -> Symbolic:
    return row.sum(1).reshape(1, 1)

"""Minkowski products as chains of the hand-written DSP product (firmware/templates/nanopelican_product.v)."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.rtl.fabric import booth_luts, fabric_sums, multiplied
from nanopelican_hls.rtl.netlist import Instance, Netlist, Value, Word, in_phase
from nanopelican_hls.rtl.piece import Costs, Number
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.symbolic import Symbolic, row_total
from nanopelican_hls.rtl.term import Term

MODULE = "nanopelican_product"
#: widest signed operands of the pre-adder and of the other factor; width of P
A_BITS, B_BITS, P_BITS = 26, 18, 48
#: clock cycles from the multiplier of a DSP to its result
DSP_CYCLES = 2
#: largest multiplier in LUTs, for products of a single particle, that is preferred to a DSP
CHEAP_LUTS = 80
#: levels of logic reserved for a DSP before its first and after its last register
DSP_LEVELS = 1.0

#: the components of a four-momentum; a fifth element is what goes along with it (`Products.alone`)
Vector = tuple[Value, ...]


def components(vector: Vector) -> Vector:
    """A vector without what goes along with it."""
    return vector[:4]


def signed_bits(number: Number, exponent: int) -> int:
    """Width of a number as a signed one on a finer grid."""
    return number.bits + (not number.signed) + number.exponent - exponent


class Products:
    """Builds the Minkowski products of a netlist.

    Parameters
    ----------
    netlist : Netlist
    coordinates : str
        ``cartesian`` or ``light_cone``.
    winograd : bool
        Winograd's identity: two products per pair and two per particle instead of four per pair.
    fabric : bool
        Multipliers in LUTs instead of DSPs.
    spared : int
        Number of DSPs, possibly exceeded by a few, to replace by multipliers in LUTs: first the products of single
        particles, which take the fewest LUTs, then those of the last pairs.
    """

    def __init__(self, netlist: Netlist, coordinates: str, winograd: bool, fabric: bool, spared: int = 0) -> None:
        self.netlist, self.coordinates, self.winograd, self.fabric = netlist, coordinates, winograd, fabric
        self._to_spare = 0 if fabric else spared
        self._light_cone: dict[Vector, Vector] = {}
        self._cones: Counter[str] = Counter()
        self._xi: dict[Vector, Word] = {}

    def dots(
        self, name: str, lanes: Sequence[tuple[Vector, Vector]], values: FixedRange, half: float
    ) -> list[Word] | None:
        """Add products of pairs of vectors, plus a constant.

        Parameters
        ----------
        name : str
            Prefix of the instance names.
        lanes : sequence of pairs of Vector
            Their types must be the same in all lanes. A light-cone vector has two components if its y and z are 0.
        values : FixedRange
            Range of the products.
        half : float
            The constant, half a unit of the quantiser that follows.

        Returns
        -------
        list of Word or None
            None if a factor is constant or too wide for the multipliers.
        """
        if any(not isinstance(value, Word) for lane in lanes for vector in lane for value in vector):
            return None
        size = len(lanes[0][0])
        distinct, uses = self.netlist.folded([[*one, *other] for one, other in lanes])
        pairs = [(self._without(lane[:size]), self._without(lane[size:])) for lane in distinct]
        found = self._dots(name, pairs, values, half)
        return found and [dataclasses.replace(found[k], phase=phase) for k, phase in uses]

    def alone(self, name: str, vectors: Sequence[Vector]) -> list[Word] | None:
        """What the products of Winograd's identity need of each vector alone; None if they need, or have, nothing."""
        if not self.winograd or _is_short(vectors[0]):
            return None
        if any(not isinstance(value, Word) for vector in vectors for value in vector):
            return None
        distinct, uses = self.netlist.folded(vectors)
        found = self._xis(f"{name}_alone", [tuple(vector) for vector in distinct], alike=True)
        return found and [dataclasses.replace(found[k], phase=phase) for k, phase in uses]

    def _without(self, row: Sequence[Value]) -> Vector:
        """The vector itself; what goes along with it is noted."""
        vector = components(tuple(row))
        for word in _words(row[len(vector) :]):
            self._xi[vector] = word
        return vector

    def _dots(
        self, name: str, lanes: Sequence[tuple[Vector, Vector]], values: FixedRange, half: float
    ) -> list[Word] | None:
        """The same of lanes without phases."""
        is_direct = not self.winograd or _is_short(lanes[0][0])
        if not is_direct and self._xis(name, [vector for lane in lanes for vector in lane]) is None:
            return None
        in_dsp = len(lanes) - self._spared(len(lanes), len(self._direct(*lanes[0])) if is_direct else 2)
        made = self._direct_terms if is_direct else self._winograd_terms
        found = self._chain(name, made(name, lanes[:in_dsp]), values, half) if in_dsp else []
        if found is None or in_dsp == len(lanes):
            return found
        return found + fabric_sums(
            self.netlist, f"{name}_spared", self._direct_terms(name, lanes[in_dsp:]), values, half
        )

    def in_fabric(self, name: str, factors: Sequence[tuple[Value, Value]]) -> list[Value] | None:
        """Products of two numbers each, in LUTs; None if DSPs are left for them, or a factor is constant."""
        distinct, uses = self.netlist.folded(factors)
        words = [(a, b) for a, b in distinct if isinstance(a, Word) and isinstance(b, Word)]
        if len(words) < len(distinct) or not (self.fabric or self._to_spare):
            return None
        alike: dict[tuple[Number, Number], list[int]] = {}
        for k, (a, b) in enumerate(words):
            alike.setdefault((a.number, b.number), []).append(k)
            self._to_spare = max(0, self._to_spare - Costs(products=((a.number.bits, b.number.bits),)).dsps)
        found: dict[int, Value] = {}
        for number, places in enumerate(alike.values()):
            made = multiplied(self.netlist, f"{name}_times{number}", [words[k] for k in places])
            found |= zip(places, made, strict=True)
        return [value for k, phase in uses for value in in_phase([found[k]], phase)]

    def _spared(self, lanes: int, each: int) -> int:
        """Number of lanes, of `each` DSPs, to move to LUTs."""
        count = min(lanes, -(-self._to_spare // each))
        self._to_spare = max(0, self._to_spare - count * each)
        return count

    def _direct_terms(self, _: str, lanes: Sequence[tuple[Vector, Vector]]) -> list[list[Term]]:
        return [self._direct(*lane) for lane in lanes]

    def _direct(self, one: Vector, other: Vector) -> list[Term]:
        a, b = _words(one), _words(other)
        if self.coordinates == "cartesian":
            return [Term(a[k], b[k], subtract=k > 0) for k in (1, 2, 3, 0)]
        crossed = [Term(a[k], b[1 - k], exponent=-1) for k in (0, 1)] if one != other else [Term(a[0], a[1])]
        return [Term(a[k], b[k], subtract=True) for k in range(2, len(a))] + crossed

    # Winograd: d = (p + p')(m + m') / 2 - (y + z')(z + y') - xi - xi',  xi = p m / 2 - y z

    def _winograd_terms(self, name: str, lanes: Sequence[tuple[Vector, Vector]]) -> list[list[Term]]:
        vectors = [vector for lane in lanes for vector in lane]
        cones, xi = self._on_light_cone(name, vectors), self._xis(name, vectors)
        assert xi is not None
        factors = [self._factors(cones[2 * k], cones[2 * k + 1]) for k in range(len(lanes))]
        # not before the cycle in which xi is ready to be added
        starts = [self._x_cycle(word, True) - k % 2 for k, word in enumerate(xi)]
        b = self._sums(name, [pair for lane in factors for _, pair in lane], max(starts))
        return [
            [
                Term(first[0], b[2 * k], first[1], xi[2 * k], subtract=True),
                Term(second[0], b[2 * k + 1], second[1], xi[2 * k + 1], exponent=-1),
            ]
            for k, ((first, _), (second, _)) in enumerate(factors)
        ]

    def _on_light_cone(self, name: str, vectors: Sequence[Vector]) -> list[Vector]:
        """Vectors as (p, m, y, z), which from E, px, py, pz are (E + pz, E - pz, px, py)."""
        if self.coordinates == "light_cone":
            return list(vectors)
        new = [vector for vector in dict.fromkeys(vectors) if vector not in self._light_cone]
        if not new:
            return [self._light_cone[vector] for vector in vectors]
        again = self._cones[name]  # for some vectors of a product before the others, where xi goes along
        self._cones[name] += 1
        ends = self.netlist.lanes(f"{name}_light_cone{again or ''}", [[v[0], v[3]] for v in new], _ends)
        for vector, (plus, minus) in zip(new, ends, strict=True):
            self._light_cone[vector] = (plus, minus, vector[1], vector[2])
        return [self._light_cone[vector] for vector in vectors]

    def _factors(self, one: Vector, other: Vector) -> list[tuple[list[Word], list[Word]]]:
        """The summands of both factors of each of the two products; those of the first go to the pre-adder."""
        (p, m, y, z), (p2, m2, y2, z2) = _words(one), _words(other)
        return [
            (left, right) if _sum_bits(left) >= _sum_bits(right) else (right, left)
            for left, right in (([y, z2], [z, y2]), ([p, p2], [m, m2]))
        ]

    def _sums(self, name: str, pairs: Sequence[Sequence[Word]], start: int) -> list[Word]:
        sums = []
        for place in (0, 1):
            rows = self.netlist.lanes(f"{name}_sum{place}", pairs[place::2], row_total, start + place)
            sums.append([value for (value,) in rows])
        return _words([value for both in zip(*sums, strict=True) for value in both])

    def _xis(self, name: str, vectors: Sequence[Vector], alike: bool = False) -> list[Word] | None:
        """Minus xi of each vector."""
        new = [vector for vector in dict.fromkeys(vectors) if vector not in self._xi]
        by_type: dict[tuple[Number, ...], list[Vector]] = {}
        for vector, cone in zip(new, self._on_light_cone(name, new), strict=True):
            by_type.setdefault(tuple(word.number for word in _words(cone)), []).append(vector)
        for k, (numbers, of_type) in enumerate(by_type.items()):
            cones = [_words(cone) for cone in self._on_light_cone(name, of_type)]
            found = self._xis_of_a_type(f"{name}_xi{k}", numbers, cones, alike)
            if found is None:
                return None
            self._xi.update(zip(of_type, found, strict=True))
        return [self._xi[vector] for vector in vectors]

    def _xis_of_a_type(
        self, name: str, numbers: Sequence[Number], cones: Sequence[Sequence[Word]], alike: bool
    ) -> list[Word] | None:
        """With `alike`, all in DSPs or all in LUTs, and so in one type."""
        terms = [
            [Term(*_wider_first(y, z)), Term(*_wider_first(p, m), subtract=True, exponent=-1)] for p, m, y, z in cones
        ]
        p_range, m_range, y_range, z_range = (number.values for number in numbers)
        values = y_range * z_range - (p_range * m_range).halved()
        cheap = max(booth_luts(term.a.number, term.b.number) for term in terms[0]) <= CHEAP_LUTS
        in_fabric = len(cones) if cheap or self.fabric else self._spared(len(cones), len(terms[0]))
        if alike and in_fabric:
            in_fabric = len(cones)
        found = fabric_sums(self.netlist, name, terms[:in_fabric], values, in_a_stage=True) if in_fabric else []
        if in_fabric == len(cones):
            return found
        chains = self._chain(f"{name}_chain", terms[in_fabric:], values, registered=False)
        return chains and found + chains

    # chains

    def _chain(
        self,
        name: str,
        lanes: Sequence[Sequence[Term]],
        values: FixedRange,
        half: float = 0.0,
        registered: bool = True,
    ) -> list[Word] | None:
        """Sums of terms: each lane is a chain of products, all in the same cycles; None if a factor is too wide.

        With `registered`, the factors are registered in the DSP; otherwise they come from registers outside.
        """
        if self.fabric:
            return fabric_sums(self.netlist, name, lanes, values, half)
        terms = lanes[0]
        grid = min(
            [term.grid for term in terms] + [term.x.number.exponent for lane in lanes for term in lane if term.x]
        )
        if half:
            grid = min(grid, FixedRange.of_values(half).exponent)
        a_exponents = [term.a_exponent - (term.grid - grid) for term in terms]
        a_bits = [
            max(signed_bits(word.number, exponent) for word in (term.a, term.d) if word)
            for term, exponent in zip(terms, a_exponents, strict=True)
        ]
        b_bits = [signed_bits(term.b.number, term.b.number.exponent) for term in terms]
        if max(a_bits) > A_BITS or max(b_bits) > B_BITS:
            return None
        start = max(self._earliest(term, registered) - place for lane in lanes for place, term in enumerate(lane))
        ready = Time(start + registered + DSP_CYCLES + len(terms) - 1, DSP_LEVELS)
        total = _coarser(values + FixedRange.of_values(half) if half else values, grid)
        number = Number(total, total.bits, total.signed)
        results = []
        for k, lane in enumerate(lanes):
            instance = f"{name}_{k}" if len(lanes) > 1 else name
            for place, term in enumerate(lane):
                parameters = {
                    "A_WIDTH": a_bits[place], "B_WIDTH": b_bits[place], "X_WIDTH": P_BITS if term.x else 1,
                    "SUBTRACT": int(term.subtract), "CHAINED": int(place > 0),
                    "ROUND": 0 if place else round(half / 2.0**grid), "REGISTERED": int(registered),
                }  # fmt: skip
                nets = self._nets(term, start + place, a_exponents[place], a_bits[place])
                x_net = self._extended(term.x, start + place + registered, grid, P_BITS) if term.x else "1'b0"
                nets |= {"x": x_net}
                nets |= {"pcin": f"{instance}_cascade{place - 1}" if place else "48'b0"}
                nets |= {"p": f"{instance}_p{place}", "pcout": f"{instance}_cascade{place}"}
                self.netlist.wires[nets["p"]] = self.netlist.wires[nets["pcout"]] = P_BITS
                self.netlist.instances.append(Instance(MODULE, f"u_{instance}_product{place}", nets, parameters))
            last = f"{instance}_p{len(terms) - 1}"
            results.append(self.netlist.field(f"{instance}_dot", last, number.exponent - grid, number, ready))
        return results

    def _extended(self, word: Word, cycle: int, exponent: int, bits: int) -> str:
        return word.number.on(self.netlist.at(word, cycle)).extended(exponent, bits)

    def _nets(self, term: Term, cycle: int, a_exponent: int, a_bits: int) -> dict[str, str]:
        b = term.b.number
        return {
            "a": self._extended(term.a, cycle, a_exponent, a_bits),
            "d": self._extended(term.d, cycle, a_exponent, a_bits) if term.d else f"{a_bits}'b0",
            "b": self._extended(term.b, cycle, b.exponent, signed_bits(b, b.exponent)),
        }

    def _earliest(self, term: Term, registered: bool) -> int:
        """The earliest cycle in which the factors of a term can be applied."""
        levels = self.netlist.levels
        spare = levels - DSP_LEVELS if registered else 0.0
        factors = [w.time.cycle + (w.time.level > spare) for w in (term.a, term.b, term.d) if w]
        return max(factors + [self._x_cycle(x, registered) for x in (term.x,) if x])

    def _x_cycle(self, x: Word, registered: bool) -> int:
        """The earliest cycle of the factors such that `x` is in time to be added to their product."""
        return x.time.cycle + (x.time.level + DSP_LEVELS > self.netlist.levels) - registered


def _is_short(vector: Vector) -> bool:
    """Whether its y and z are 0, so that it takes part in two products only."""
    return len(vector) == 2


def _coarser(values: FixedRange, exponent: int) -> FixedRange:
    """The range on a coarser grid, where all of its values lie on that."""
    shift = max(0, exponent - values.exponent)
    return FixedRange(values.low >> shift, -(-values.high >> shift), values.exponent + shift)


def _ends(row: Symbolic) -> Symbolic:
    energy, pz = row[:, :1], row[:, 1:]
    return Symbolic.concatenated([energy + pz, energy - pz])


def _words(values: Sequence[Value]) -> list[Word]:
    return [value for value in values if isinstance(value, Word)]


def _sum_bits(words: Sequence[Word]) -> int:
    exponent = min(word.number.exponent for word in words)
    return max(signed_bits(word.number, exponent) for word in words)


def _wider_first(one: Word, other: Word) -> tuple[Word, Word]:
    return (one, other) if one.number.bits >= other.number.bits else (other, one)

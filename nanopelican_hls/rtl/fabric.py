"""Sums of products in LUTs, with the hand-written multiplier (firmware/templates/nanopelican_booth.v)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.rtl.netlist import Instance, Netlist, Word
from nanopelican_hls.rtl.piece import Number
from nanopelican_hls.rtl.schedule import Time
from nanopelican_hls.rtl.symbolic import Symbolic
from nanopelican_hls.rtl.term import Term

MODULE = "nanopelican_booth"
#: levels of logic of one row of the multiplier: an addition in alkaid's delay model
ROW_LEVELS = 1.15


def fabric_sums(
    netlist: Netlist,
    name: str,
    lanes: Sequence[Sequence[Term]],
    values: FixedRange,
    constant: float = 0.0,
    in_a_stage: bool = False,
) -> list[Word]:
    """Sums of terms and a constant, with all lanes in the same clock cycles.

    Parameters
    ----------
    netlist : Netlist
    name : str
        Prefix of the instance names.
    lanes : sequence of sequence of Term
        The terms of each sum; their types must be the same in all lanes.
    values : FixedRange
        Range of the sums without the constant.
    constant : float
    in_a_stage : bool
        Split each product into partial products that fit into one stage: faster, for slightly more LUTs.

    Returns
    -------
    list of Word
        The sum of each lane.
    """
    if in_a_stage:
        lanes = [[part for term in lane for part in _parts(netlist, term)] for lane in lanes]
    terms = lanes[0]
    rows: list[list[Word]] = [[] for _ in lanes]
    for place in range(len(terms)):
        factors = _factors(netlist, f"{name}_factor{place}", [lane[place] for lane in lanes])
        for row, lane, product in zip(rows, lanes, multiplied(netlist, f"{name}_times{place}", factors), strict=True):
            row += [product, *(x for x in (lane[place].x,) if x)]
    signs = [sign for term in terms for sign in ([_weight(term)] + [1.0] * (term.x is not None))]

    def compute(row: Symbolic) -> Symbolic:
        weighted = Symbolic.concatenated([row[:, k : k + 1] * sign for k, sign in enumerate(signs)])
        return weighted.sum(1).reshape(1, 1).known_within(values) + constant

    sums = netlist.lanes(f"{name}_total", rows, compute)
    return [value for (value,) in sums if isinstance(value, Word)]


def _weight(term: Term) -> float:
    return math.ldexp(-1.0 if term.subtract else 1.0, term.exponent)


def _factors(netlist: Netlist, name: str, terms: Sequence[Term]) -> list[tuple[Word, Word]]:
    if terms[0].d is None:
        return [(term.a, term.b) for term in terms]
    lanes = [[term.a, term.d] for term in terms if term.d]
    sums = [value for (value,) in netlist.lanes(name, lanes, lambda row: row.sum(1).reshape(1, 1))]
    return [(value, term.b) for value, term in zip(sums, terms, strict=True) if isinstance(value, Word)]


@dataclass(frozen=True)
class Booth:
    """Size of a Booth multiplier, which recodes its second factor.

    Attributes
    ----------
    a_bits, b_bits : widths of the factors.
    b_signed : whether the second factor is signed.
    """

    a_bits: int
    b_bits: int
    b_signed: bool

    @classmethod
    def of(cls, a: Number, b: Number) -> Booth:
        return cls(a.bits, b.bits, b.signed)

    @property
    def rows(self) -> int:
        return (self.b_bits + (not self.b_signed) + 1) // 2

    @property
    def luts(self) -> int:
        return self.rows * (self.a_bits + 3)

    def stages(self, rows_per_stage: int) -> int:
        return -(-self.rows // rows_per_stage)

    def register_bits(self, rows_per_stage: int) -> int:
        """Registers between stages: the partial sum, both factors, and the product bits known so far."""
        return (self.stages(rows_per_stage) - 1) * (2 * self.a_bits + self.b_bits + 2)


def booth_luts(one: Number, other: Number) -> int:
    """LUTs of the multiplier, with the cheaper choice of the recoded factor."""
    return min(Booth.of(one, other).luts, Booth.of(other, one).luts)


def _rows_per_stage(netlist: Netlist) -> int:
    return max(1, int(netlist.levels / ROW_LEVELS))


def _recoded_last(a: Word, b: Word, rows_per_stage: int) -> tuple[Word, Word]:
    """The factors, ordered so that recoding the second takes fewer stages, then fewer LUTs."""

    def cost(pair: tuple[Word, Word]) -> tuple[int, int]:
        booth = Booth.of(pair[0].number, pair[1].number)
        return booth.stages(rows_per_stage), booth.luts

    return min((a, b), (b, a), key=cost)


def _parts(netlist: Netlist, term: Term) -> list[Term]:
    """Partial products with the same sum, each within one stage: one factor is split into bit fields."""
    assert term.d is None
    a, b = _recoded_last(term.a, term.b, _rows_per_stage(netlist))
    if Booth.of(a.number, b.number).stages(_rows_per_stage(netlist)) == 1:
        return [term]
    width = 2 * _rows_per_stage(netlist) - 1  # of an unsigned factor with as many rows as fit into a stage
    parts = []
    for lowest in range(0, b.number.bits, width):
        bits = min(width, b.number.bits - lowest)
        signed = b.number.signed and lowest + bits == b.number.bits
        ends = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        number = Number(FixedRange(*ends, b.number.exponent + lowest), bits, signed)
        field = netlist.field(f"{b.net}_bits{lowest}", b.net, lowest, number, b.time)
        parts.append(Term(a, field, x=None if lowest else term.x, subtract=term.subtract, exponent=term.exponent))
    return parts


def multiplied(netlist: Netlist, name: str, factors: Sequence[tuple[Word, Word]]) -> list[Word]:
    """A multiplier for each pair of factors, whose types must be the same in all; all in the same clock cycles."""
    rows_per_stage = _rows_per_stage(netlist)
    pairs = [_recoded_last(a, b, rows_per_stage) for a, b in factors]
    booth = Booth.of(pairs[0][0].number, pairs[0][1].number)
    rows, stages = booth.rows, booth.stages(rows_per_stage)
    first = min(rows, rows_per_stage) * ROW_LEVELS
    start = max(
        word.time.cycle + (word.time.level + first > max(netlist.levels, first)) for pair in pairs for word in pair
    )
    level = max((word.time.level for pair in pairs for word in pair if word.time.cycle == start), default=0.0)
    last = (rows - (stages - 1) * rows_per_stage) * ROW_LEVELS
    ready = Time(start + stages - 1, last + (level if stages == 1 else 0.0))
    products = []
    for k, (a, b) in enumerate(pairs):
        values = a.number.values * b.number.values
        full = f"{name}_{k}_full"
        netlist.wires[full] = a.number.bits + b.number.bits
        products.append(netlist.field(f"{name}_{k}_p", full, 0, Number(values, values.bits, values.signed), ready))
        parameters = {
            "A_WIDTH": a.number.bits, "A_SIGNED": int(a.number.signed),
            "B_WIDTH": b.number.bits, "B_SIGNED": int(b.number.signed), "ROWS_PER_STAGE": rows_per_stage,
        }  # fmt: skip
        nets = {"a": netlist.at(a, start), "b": netlist.at(b, start), "p": full}
        netlist.instances.append(Instance(MODULE, f"u_{name}_{k}", nets, parameters))
    return products

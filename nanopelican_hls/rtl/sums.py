"""Deferred sums of symbolic numbers: built when all terms are known, earliest arrivals first.

A product with a constant is a sum of shifted copies, so ``w r + w' s + b`` is a single sum of many terms instead of a
chain of small ones. Of alkaid's variables ``latency``, arithmetic and tables are used.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from nanopelican_hls.rtl.quantise import field, is_constant, select_bits, value_of

Variable = Any

#: levels of logic of a ternary adder (alkaid's delay model: 1.3 to 1.4) and of a LUT
ADDITION_LEVELS, TABLE_LEVELS = 1.35, 0.5
#: with more terms left, only ternary adders are used: compressors are faster, but take twice the LUTs
MOST_COMPRESSED = 12
#: terms that a compressor reduces to three: the inputs of a LUT
COMPRESSOR = 6


class Sum:
    """A sum whose adders are not built yet.

    Parameters
    ----------
    parts : sequence of (Variable or Sum, float)
        Terms, each with its factor, a signed power of two.
    constant : float
    """

    low, high = -math.inf, math.inf  # unknown until it is built

    def __init__(self, parts: Sequence[tuple[Any, float]], constant: float = 0.0) -> None:
        self.terms, self.constant = tuple(parts), constant
        self.uses = 0
        self._total: Any = None
        for part, _ in parts:
            if isinstance(part, Sum):
                part.uses += 1

    def total(self) -> Variable | float:
        """Build the sum; a part shared with other sums is built once."""
        if self._total is None:
            terms, constant = self._terms()
            self._total = added(_with_constant(terms, constant)) if terms else constant
        return self._total

    def parts(self, count: int) -> list[Variable | float]:
        """Numbers with this sum, so that consumers can merge the last addition with one of their own."""
        if count == 1:
            return [self.total()]
        terms, constant = self._terms()
        found = _reduced(_with_constant(terms, constant), count) if terms else [constant]
        return [*found, *[0.0] * (count - len(found))]

    def _terms(self) -> tuple[list[Variable], float]:
        terms, constant = [], self.constant
        for part, factor in self.terms:
            if isinstance(part, Sum) and part.uses == 1 and part._total is None:
                inner, offset = part._terms()
                terms += [term * factor for term in inner]
                constant += offset * factor
            else:
                value = part.total() if isinstance(part, Sum) else part
                if is_constant(value):
                    constant += value_of(value) * factor
                else:
                    terms.append(value * factor)
        return terms, constant


def plus(one: Any, other: Any) -> Any:
    """The deferred sum of two numbers, variables or sums."""
    if is_constant(one) and is_constant(other):
        return value_of(one) + value_of(other)
    if is_constant(one):
        one, other = other, one
    return Sum([(one, 1.0)], value_of(other)) if is_constant(other) else Sum([(one, 1.0), (other, 1.0)])


def times(value: Any, factor: float) -> Any:
    """The product with a constant, as a deferred sum of signed shifts."""
    if is_constant(value):
        return value_of(value) * factor
    if not factor:
        return 0.0
    powers = signed_digits(factor)
    if isinstance(value, Sum) and len(powers) > 1:
        value = value.total()
    return Sum([(value, power) for power in powers])


def signed_digits(value: float) -> list[float]:
    """Canonical signed digits of a value: the fewest signed powers of two with this sum, no two adjacent."""
    numerator, denominator = value.as_integer_ratio()
    digits, power = [], 1.0 / denominator
    while numerator:
        if numerator & 1:
            digit = 2 - (numerator & 3)
            digits.append(digit * power)
            numerator -= digit
        numerator >>= 1
        power *= 2.0
    return digits


def added(terms: Sequence[Variable]) -> Variable:
    """Build the sum of variables.

    A ternary adder takes one LUT per bit, like a binary one. With few terms left, compressors reduce six terms to three
    without a carry chain, unless the delay of a ternary adder is hidden by terms that arrive later.
    """
    low, high = sum(x.low for x in terms), sum(x.high for x in terms)
    return _within(_total(_reduced(terms, 3)), low, high)


def _reduced(terms: Sequence[Variable], most: int) -> list[Variable]:
    """At most `most` variables with the same sum, earliest first."""
    order = itertools.count()
    heap = [(x.latency, next(order), x) for x in terms]
    heapq.heapify(heap)
    while len(heap) > most:
        latest = max(heap)[0]
        hidden = heapq.nsmallest(3, heap)[2][0] + ADDITION_LEVELS <= latest
        group = [entry for entry in heapq.nsmallest(COMPRESSOR, heap) if _is_natural(entry[2])]
        if len(heap) <= MOST_COMPRESSED and not hidden and len(group) > 3:
            heap = [entry for entry in heap if entry not in group]
            heapq.heapify(heap)
            results, levels = _compressed([x for _, _, x in group]), TABLE_LEVELS
        else:
            group = [heapq.heappop(heap) for _ in range(3 - ((len(heap) - most) % 2))]
            results, levels = [_total([x for _, _, x in group])], ADDITION_LEVELS
        for x in results:
            heapq.heappush(heap, (max(group)[0] + levels, next(order), x))
    return [x for _, _, x in sorted(heap)]


def _with_constant(terms: Sequence[Variable], constant: float) -> list[Variable]:
    """Merge the constant for free into a term whose bits all lie above it, or else add it to the earliest term."""
    if not constant:
        return list(terms)
    place = min(range(len(terms)), key=lambda k: (not 0 < constant < terms[k].step, terms[k].latency))
    return [x + constant if k == place else x for k, x in enumerate(terms)]


def _total(terms: Sequence[Variable]) -> Variable:
    return sum(terms[1:], start=terms[0])


def _within(x: Variable, low: float, high: float) -> Variable:
    """Drop the carry bits of a sum that its interval excludes."""
    if is_constant(x):
        return x
    signed, integers, fraction = x.kif
    while 2.0 ** (integers - 1) >= max(-low, high + x.step):
        integers -= 1
    return select_bits(x, signed and low < 0, integers, fraction)


def _is_natural(x: Variable) -> bool:
    """Whether it is unsigned, starts at 0 (so that no bit is constantly 1) and is not to be subtracted."""
    return bool(x.low == 0 and x._factor > 0)


def _compressed(group: Sequence[Variable]) -> list[Variable]:
    """Three numbers with the same sum: at each bit position, the count of ones in the group, in binary.

    Constant bits are 0, since the numbers are natural (`_is_natural`).
    """
    bottom, top = min(-x.kif[2] for x in group), max(x.kif[1] for x in group)
    rows: list[list[Variable]] = [[], [], []]
    for place in range(bottom, top):
        fields = (field(x, place + 1, place) for x in group if -x.kif[2] <= place < x.kif[1])
        bits = [bit for bit in fields if not is_constant(bit)]
        if len(bits) == 1:
            rows[0].append(bits[0])
        elif bits:
            index = _side_by_side([bit * 2.0 ** (k - place) for k, bit in enumerate(bits)])
            ones = index.lookup(_ones(len(bits)))
            for k in range(len(bits).bit_length()):
                rows[k].append(field(ones, k + 1, k) * 2.0**place)
    return [_side_by_side(row) for row in rows if row]


def _side_by_side(bits: Sequence[Variable]) -> Variable:
    """Bits at distinct positions as one number: free and, unlike a sum, never built as an adder."""
    return functools.reduce(operator.or_, bits)


def _ones(bits: int) -> Any:
    return np.array([float(index.bit_count()) for index in range(1 << bits)])

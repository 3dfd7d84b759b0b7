"""Integers of a jet as expressions in normal form, from which a solver decides.

An `Integer` is a polynomial with integer coefficients in atoms: inputs, and results of the operations that are not
polynomial (floor of a division by a power of two, sign, choice, table, bits). So sums, products and wrapping at a
width, however a compiler reorders them, are equal as soon as they are the same polynomial. An atom that is 0 or 1 is
its own square, so conditions are polynomials as well. Every integer has bounds, from which the solver's words are made
no wider than needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: product of atoms, by number, in order; () is the constant 1
Monomial = tuple[int, ...]
#: the terms of a polynomial: monomials and coefficients
Key = frozenset[tuple[Monomial, int]]
#: an "and" with more terms than this stays an atom
PRODUCT_TERMS = 12
#: a choice between an integer and 0 is a product with the condition if it has at most so many terms
CHOICE_TERMS = 200


@dataclass(frozen=True)
class Atom:
    """A variable, or the result of an operation that is not polynomial.

    Attributes
    ----------
    number : in the order of definition; arguments have lower ones.
    kind : ``input``, ``floor`` (of x / 2^k), ``negative`` (1 if x < 0), ``zero``, ``odd``, ``choice`` (c ? a : b),
        ``entry`` (of a table at x), ``and`` (bitwise).
    arguments : of the operation.
    low, high : bounds.
    """

    number: int
    kind: str
    arguments: tuple[Any, ...]
    low: int
    high: int

    @property
    def is_flag(self) -> bool:
        return self.low == 0 and self.high == 1


class Space:
    """The atoms of the expressions that may occur together; equal atoms are the same.

    Attributes
    ----------
    folds : whether bits of a word that are put together again become the word, and nested floors one: hardware takes
        sums apart, but C++ selects by single bits, which then grow.
    """

    def __init__(self, *, folds: bool = False) -> None:
        self.folds = folds
        self.atoms: list[Atom] = []
        self._numbers: dict[tuple[Any, ...], int] = {}
        #: of each atom that is the last bit of x, by number: x
        self._last_bits: dict[int, Integer] = {}
        self._bounds: dict[Key, tuple[int, int]] = {}

    def constant(self, value: int) -> Integer:
        return Integer(self, {(): value} if value else {})

    def input(self, name: str, low: int, high: int) -> Integer:
        """A variable between two bounds."""
        return self.atom("input", (name,), low, high)

    def atom(self, kind: str, arguments: tuple[Any, ...], low: int, high: int) -> Integer:
        if low == high:
            return self.constant(low)
        key = (kind, *(a.key if isinstance(a, Integer) else a for a in arguments))
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.atoms)
            self.atoms.append(Atom(number, kind, arguments, low, high))
            if kind == "odd" and self.folds:
                self._last_bits[number] = arguments[0]
        return Integer(self, {(number,): 1})

    def with_last_bits(self, terms: dict[Monomial, int]) -> dict[Monomial, int]:
        """Terms with ``odd(x)`` written as ``x - 2 floor(x / 2)``, but in products, where it is a condition.

        So all bits of a word, taken apart and put together again, are the word.
        """
        for monomial in [m for m in terms if len(m) == 1 and m[0] in self._last_bits]:
            coefficient, x = terms.pop(monomial), self._last_bits[monomial[0]]
            for m, c in (x - x.floor(1) * 2).terms.items():
                total = terms.get(m, 0) + coefficient * c
                if total:
                    terms[m] = total
                else:
                    del terms[m]
        return terms

    def bounds(self, key: Key, found: Callable[[], tuple[int, int]]) -> tuple[int, int]:
        if key not in self._bounds:
            self._bounds[key] = found()
        return self._bounds[key]

    def narrow(self, key: Key, low: int, high: int) -> None:
        """Bounds of a polynomial, known from how it was computed."""
        old_low, old_high = self._bounds[key]
        self._bounds[key] = (max(low, old_low), min(high, old_high))


class Integer:
    """A polynomial in the atoms of a space."""

    __slots__ = ("key", "space", "terms")

    def __init__(self, space: Space, terms: Mapping[Monomial, int]) -> None:
        self.space, self.terms = space, terms
        self.key = frozenset(terms.items())

    def __repr__(self) -> str:
        return f"Integer({self.terms})"

    @property
    def bounds(self) -> tuple[int, int]:
        return self.space.bounds(self.key, self._term_bounds)

    @property
    def low(self) -> int:
        return self.bounds[0]

    @property
    def high(self) -> int:
        return self.bounds[1]

    @property
    def value(self) -> int | None:
        """The integer, if it is constant."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and () in self.terms:
            return self.terms[()]
        low, high = self.bounds
        return low if low == high else None

    @property
    def offset(self) -> int:
        """The constant term."""
        return self.terms.get((), 0)

    @property
    def rest(self) -> Integer:
        """Without the constant term."""
        return self if () not in self.terms else Integer(self.space, {m: c for m, c in self.terms.items() if m})

    @property
    def single(self) -> Atom | None:
        """The atom, if it is one plus a constant."""
        terms = [(m, c) for m, c in self.terms.items() if m]
        return (
            self.space.atoms[terms[0][0][0]] if len(terms) == 1 and terms[0][1] == 1 and len(terms[0][0]) == 1 else None
        )

    def _term_bounds(self) -> tuple[int, int]:
        low = high = 0
        for monomial, coefficient in self.terms.items():
            a, b = _monomial_bounds(self.space, monomial)
            ends = (coefficient * a, coefficient * b)
            low, high = low + min(ends), high + max(ends)
        return self._bounds_with_remainder(low, high)

    def _bounds_with_remainder(self, low: int, high: int) -> tuple[int, int]:
        """Narrower, if a division and what is divided are both there: x - 2^k floor(x / 2^k) is from 0 to 2^k - 1.

        So is x + 2^k (x < 0), for x between -2^k and 2^k - 1.
        """
        for monomial in sorted(self.terms, reverse=True):
            atom = self.space.atoms[monomial[0]] if len(monomial) == 1 else None
            if atom is None or atom.kind not in ("floor", "negative"):
                continue
            x, sign = atom.arguments[0], 1 if atom.kind == "floor" else -1
            shift = atom.arguments[1] if sign == 1 else max(x.high.bit_length(), (~x.low).bit_length())
            coefficient = sign * self.terms[monomial]
            if coefficient % (1 << shift) or not any(m in self.terms for m in x.terms if m):
                continue
            times = coefficient >> shift
            others = dict(self.terms)
            del others[monomial]
            for m, c in x.terms.items():
                others[m] = others.get(m, 0) + times * c
            a, b = Integer(self.space, {m: c for m, c in others.items() if c}).bounds
            most = -times * ((1 << shift) - 1)
            return max(low, a + min(0, most)), min(high, b + max(0, most))
        return low, high

    def _within(self, low: int, high: int) -> Integer:
        """The same, known to lie between two bounds."""
        self.bounds  # noqa: B018
        self.space.narrow(self.key, low, high)
        return self

    def __add__(self, other: Integer | int) -> Integer:
        other = self._operand(other)
        terms = dict(self.terms)
        for monomial, coefficient in other.terms.items():
            total = terms.get(monomial, 0) + coefficient
            if total:
                terms[monomial] = total
            else:
                del terms[monomial]
        terms = self.space.with_last_bits(terms)
        return Integer(self.space, terms)._within(self.low + other.low, self.high + other.high)

    def _operand(self, other: Integer | int) -> Integer:
        return other if isinstance(other, Integer) else self.space.constant(other)

    def __neg__(self) -> Integer:
        return self * -1

    def __sub__(self, other: Integer | int) -> Integer:
        return self + -self._operand(other)

    def __rsub__(self, other: int) -> Integer:
        return -self + other

    def __mul__(self, other: Integer | int) -> Integer:
        other = self._operand(other)
        terms: dict[Monomial, int] = {}
        for one, a in self.terms.items():
            for two, b in other.terms.items():
                monomial = self._product(one, two) if one and two else one or two
                terms[monomial] = terms.get(monomial, 0) + a * b
        corners = [a * b for a in self.bounds for b in other.bounds]
        product = Integer(self.space, self.space.with_last_bits({m: c for m, c in terms.items() if c}))
        return product._within(min(corners), max(corners))

    __radd__, __rmul__ = __add__, __mul__

    def _product(self, one: Monomial, two: Monomial) -> Monomial:
        atoms = self.space.atoms
        numbers = one + tuple(n for n in two if n not in one or not atoms[n].is_flag)
        if any(atoms[n].kind == "negative" for n in numbers):
            numbers = tuple(dict.fromkeys(self._with_sign(n, numbers) for n in numbers if atoms[n].is_flag)) + tuple(
                n for n in numbers if not atoms[n].is_flag
            )
        return tuple(sorted(numbers))

    def _with_sign(self, number: int, numbers: Monomial) -> int:
        """A product with x: (x < 1) is then (x < 0), since they differ at 0 only."""
        atom = self.space.atoms[number]
        if atom.kind == "negative":
            x = atom.arguments[0]
            if x.offset == -1 and x.single is not None and x.single.number in numbers:
                same = list(x.rest.negative().terms)
                return same[0][0] if len(same) == 1 and len(same[0]) == 1 else number
        return number

    def _divided(self, divisor: int) -> Integer:
        """Divided by a number that divides all coefficients but the constant, rounded down."""
        terms = {m: c // divisor for m, c in self.terms.items()}
        low, high = self.bounds
        quotient = Integer(self.space, {m: c for m, c in terms.items() if c})
        return quotient._within(low // divisor, high // divisor)

    def _common(self) -> int:
        """Greatest common divisor of all coefficients but the constant."""
        return math.gcd(*(c for m, c in self.terms.items() if m))

    def floor(self, shift: int) -> Integer:
        """``floor(x / 2**shift)``."""
        if shift <= 0:
            return self * (1 << -shift)
        low, high = self.bounds
        if shift > 1 and self.space.folds:
            half = self.floor(1)  # bit by bit, as long as a bit that falls away leaves nothing new
            if len(half.terms) < len(self.terms) and half._atoms() <= self._atoms():
                return half.floor(shift - 1)._within(low >> shift, high >> shift)
        unit = 1 << shift
        whole = {m: c >> shift for m, c in self.terms.items() if c % unit == 0 or not m}
        left = {m: c if m else c % unit for m, c in self.terms.items() if c % unit}
        result = Integer(self.space, {m: c for m, c in whole.items() if c})
        if left:
            part = Integer(self.space, left)
            if not whole:
                part._within(low, high)
            result = result + part._floor_of_part(shift)
        return result._within(low >> shift, high >> shift)

    def _floor_of_part(self, shift: int) -> Integer:
        common = self._common()
        power = min(shift, (common & -common).bit_length() - 1) if common else 0
        x, shift = self._divided(1 << power), shift - power
        low, high = x.low >> shift, x.high >> shift
        if low == high:
            return x.space.constant(low)
        if high == low + 1:
            return -((x - (high << shift)).negative()) + high
        if shift == 1 and x.space.folds and x.terms[max(x.terms)] < 0:
            return ((-x).floor(1) + x)._within(low, high)
        inner = x._inner_floor()
        if inner is not None:
            argument, more = inner.arguments
            others = Integer(x.space, {m: c for m, c in x.terms.items() if m != (inner.number,)})
            return (argument + others * (1 << more)).floor(shift + more)  # type: ignore[no-any-return]
        return x.space.atom("floor", (x, shift), low, high)

    def _atoms(self) -> set[int]:
        return {n for m in self.terms for n in m}

    def _inner_floor(self) -> Atom | None:
        """The only floor among the terms, if its coefficient is 1: floor(a + floor(x)) is one floor of a sum."""
        atoms = self.space.atoms
        if not self.space.folds:
            return self.single if self.single is not None and self.single.kind == "floor" else None
        floors = [(m, c) for m, c in self.terms.items() if any(atoms[n].kind == "floor" for n in m)]
        return atoms[floors[0][0][0]] if len(floors) == 1 and floors[0][1] == 1 and len(floors[0][0]) == 1 else None

    def modulo(self, bits: int) -> Integer:
        """``x mod 2**bits``."""
        if self.low >= 0 and self.high < 1 << bits:
            return self
        x = self.reduced(bits)
        if x.low >= 0 and x.high < 1 << bits:
            return x
        if bits == 1:
            return x.odd()
        return (x - x.floor(bits) * (1 << bits))._within(0, (1 << bits) - 1)

    def signed(self, bits: int) -> Integer:
        """The integer of ``bits`` bits, two's complement, that is congruent."""
        half = 1 << (bits - 1)
        if -half <= self.low and self.high < half:
            return self
        x = self.reduced(bits)
        if -half <= x.low and x.high < half:
            return x
        common = x._common()
        power = (common & -common).bit_length() - 1
        if 0 < power < bits and x.offset % (1 << power) == 0:
            return x._divided(1 << power).signed(bits - power) * (1 << power)
        return (x - (x + half).floor(bits) * (2 * half))._within(-half, half - 1)

    def reduced(self, bits: int) -> Integer:
        """A congruent polynomial whose coefficients have at most so many bits, two's complement."""
        half = 1 << (bits - 1)
        terms = {m: (c + half) % (2 * half) - half for m, c in self.terms.items()}
        reduced = {m: c for m, c in terms.items() if c}
        return self if reduced == self.terms else Integer(self.space, reduced)

    def odd(self) -> Integer:
        """1 if it is odd, else 0."""
        x = Integer(self.space, {m: 1 for m, c in self.terms.items() if c % 2})
        if x.value is not None:
            return self.space.constant(x.value % 2)
        if x.offset:
            return 1 - x.rest.odd()
        if x.single is not None and x.single.is_flag:
            return x
        return self.space.atom("odd", (x,), 0, 1)

    def _two_valued(self) -> tuple[Integer, int, int] | None:
        """A flag, and the value with and without it, if there is one."""
        terms = [(m, c) for m, c in self.terms.items() if m]
        if len(terms) != 1 or not all(self.space.atoms[n].is_flag for n in terms[0][0]):
            return None
        monomial, coefficient = terms[0]
        return Integer(self.space, {monomial: 1}), self.offset + coefficient, self.offset

    def _of_two(self, function: Callable[[int], bool]) -> Integer | None:
        found = self._two_valued()
        if found is None:
            return None
        flag, with_it, without = found
        a, b = int(function(with_it)), int(function(without))
        return flag * (a - b) + b

    def negative(self) -> Integer:
        """1 if it is below 0, else 0."""
        if self.low >= 0 or self.high < 0:
            return self.space.constant(int(self.high < 0))
        if (known := self._of_two(lambda value: value < 0)) is not None:
            return known
        if self.low == -1 and self.high == 0:
            return -self
        if (common := self._common()) > 1:
            return self._divided(common).negative()
        if self.terms[max(self.terms)] < 0:
            return 1 - (-self - 1).negative()
        inner = self.single
        if inner is not None and inner.kind == "floor":
            argument, shift = inner.arguments
            return (argument + self.offset * (1 << shift)).negative()  # type: ignore[no-any-return]
        return self.space.atom("negative", (self,), 0, 1)

    def zero(self) -> Integer:
        """1 if it is 0, else 0."""
        if self.low > 0 or self.high < 0:
            return self.space.constant(0)
        if self.value is not None:
            return self.space.constant(int(self.value == 0))
        if (known := self._of_two(lambda value: value == 0)) is not None:
            return known
        if self.low == 0:
            return (self - 1).negative()
        if self.high == 0:
            return 1 - self.negative()
        if (common := self._common()) > 1:
            return self.space.constant(0) if self.offset % common else self._divided(common).zero()
        x = -self if self.terms[max(self.terms)] < 0 else self
        return self.space.atom("zero", (x,), 0, 1)

    def below(self, other: Integer | int) -> Integer:
        """1 if it is below another, else 0."""
        return (self - other).negative()

    def clipped(self, low: int, high: int) -> Integer:
        """The nearest integer between two bounds."""
        if (low, high) == (-1, 1):
            return (1 - self.negative() - self.below(1))._within(low, high)
        top = choice((self - high).negative(), self, self._operand(high)) if self.high > high else self
        if self.low < low:
            top = choice(self.below(low), self._operand(low), top)
        return top._within(*(min(max(bound, low), high) for bound in self.bounds))

    def entry(self, table: Sequence[int]) -> Integer:
        """The entry of a table at this place, which is known to be one of the table's."""
        low, high = max(0, self.low), min(self.high, len(table) - 1)
        if low == high:
            return self.space.constant(table[low])
        common = self._common()
        if common > 1:
            return self._divided(common).entry(table[self.offset % common :: common])
        place = self - low
        entries = tuple(table[low : high + 1])
        divisor = math.gcd(*(entry - entries[0] for entry in entries))
        if divisor == 0:
            return self.space.constant(entries[0])
        small = tuple((entry - entries[0]) // divisor for entry in entries)
        if len(small) == 2:
            return (1 - (place - 1).negative()) * divisor + entries[0]
        if next(entry for entry in small if entry) < 0:
            small, divisor = tuple(-entry for entry in small), -divisor
        return self.space.atom("entry", (place, small), min(small), max(small)) * divisor + entries[0]

    def expanded(self, limit: int) -> Integer | None:
        """With choices as products of their conditions; None if it then has more terms than a limit."""
        result = self
        while True:
            numbers = {n for m in result.terms for n in m if self.space.atoms[n].kind == "choice"}
            if not numbers:
                return result
            number = max(numbers)
            condition, one, other = self.space.atoms[number].arguments
            value = other + condition * (one - other)
            with_it = Integer(self.space, {_without(m, number): c for m, c in result.terms.items() if number in m})
            rest = Integer(self.space, {m: c for m, c in result.terms.items() if number not in m})
            if len(with_it.terms) * len(value.terms) > limit:
                return None
            result = rest + with_it * value

    def masked(self, other: Integer) -> Integer:
        """Bitwise and, of two's complement of unlimited width."""
        for x, y in ((self, other), (other, self)):
            if y.value is not None:
                return x._masked_by(y.value)
        if self.key == other.key:
            return self
        if all(x.low >= 0 and x.high <= 1 for x in (self, other)):
            return both(self, other)
        for x, y in ((self, other), (other, self)):
            common = math.gcd(*x.terms.values())
            if y.low >= 0 and y.high < common & -common:
                return self.space.constant(0)
            if x.low == -1 and x.high == 0:
                return choice(-x, y, self.space.constant(0))
            if x.low >= 0 and x.high <= 1:
                return both(x, y.odd())
        arguments = sorted((self, other), key=lambda x: sorted(x.terms.items()))
        bounded = [x.high for x in arguments if x.low >= 0]
        low = 0 if bounded else -(1 << max((-min(x.low, 0)).bit_length() for x in arguments))
        high = min(bounded) if bounded else (1 << max(max(x.high, 0).bit_length() for x in arguments)) - 1
        return self.space.atom("and", tuple(arguments), low, high)

    def _masked_by(self, mask: int) -> Integer:
        """Bitwise and with a constant: a sum over its runs of ones."""
        result, start, x = self.space.constant(0), 0, self
        while mask:
            zeros = (mask & -mask).bit_length() - 1
            mask, start = mask >> zeros, start + zeros
            if mask == -1:
                return result + x.floor(start) * (1 << start)
            ones = (~mask & (mask + 1)).bit_length() - 1
            result = result + x.floor(start).modulo(ones) * (1 << start)
            mask, start = mask >> ones, start + ones
        return result


def _without(monomial: Monomial, number: int) -> Monomial:
    place = monomial.index(number)
    return monomial[:place] + monomial[place + 1 :]


def _monomial_bounds(space: Space, monomial: Monomial) -> tuple[int, int]:
    low = high = 1
    for number in monomial:
        atom = space.atoms[number]
        corners = [a * b for a in (low, high) for b in (atom.low, atom.high)]
        low, high = min(corners), max(corners)
    if len(monomial) == 2 and monomial[0] == monomial[1]:
        low = max(low, 0)
    return low, high


def both(one: Integer, other: Integer) -> Integer:
    """1 if two conditions, each 0 or 1, are 1."""
    if len(one.terms) * len(other.terms) <= PRODUCT_TERMS or one.value is not None or other.value is not None:
        return (one * other)._within(0, 1)
    arguments = sorted((one, other), key=lambda x: sorted(x.terms.items()))
    return one.space.atom("and", tuple(arguments), 0, 1)


def choice(condition: Integer, one: Integer, other: Integer) -> Integer:
    """The one if a condition is 1, the other if it is 0."""
    if condition.value is not None:
        return one if condition.value else other
    if condition.offset == 1 and all(c < 0 for m, c in condition.terms.items() if m):
        return choice(1 - condition, other, one)
    one, other = _known(one, condition, True), _known(other, condition, False)
    bounds = _bounds_of_choice(condition, one, other)
    shared = {m: c for m, c in one.terms.items() if other.terms.get(m) == c}
    if shared:
        # x + (c ? y : z)
        common = Integer(one.space, shared)
        return (common + choice(condition, one - common, other - common))._within(*bounds)
    difference = one - other
    if (
        difference.value is not None
        or not (one + other).terms
        or (not (one.terms and other.terms) and len(condition.terms) * len(difference.terms) <= CHOICE_TERMS)
    ):
        return (other + condition * difference)._within(*bounds)
    return condition.space.atom("choice", (condition, one, other), *bounds)


def _bounds_of_choice(condition: Integer, one: Integer, other: Integer) -> tuple[int, int]:
    """Bounds of a choice; narrower if it is the smaller or the larger of the two, or nearly so."""
    low, high = min(one.low, other.low), max(one.high, other.high)
    atom = condition.single
    if atom is not None and atom.kind == "negative" and not condition.offset:
        if (d := (one - other - atom.arguments[0]).value) is not None:
            # chosen: one < other + d; else other <= one - d
            high = max(min(one.high, other.high + d - 1), min(other.high, one.high - d))
        if (d := (other - one - atom.arguments[0]).value) is not None:
            low = min(max(one.low, other.low - d + 1), max(other.low, one.low + d))
    return low, high


def _known(x: Integer, condition: Integer, value: bool) -> Integer:
    """An integer where a condition is known."""
    atom = x.single
    if atom is None or atom.kind != "choice" or atom.arguments[0].key != condition.key:
        return x
    kept: Integer = atom.arguments[1 if value else 2]
    return kept + x.offset


def inputs_of(x: Integer) -> set[str]:
    """Names of the variables that occur in an integer."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [n for m in x.terms for n in m]
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen.add(number)
            atom = x.space.atoms[number]
            if atom.kind == "input":
                found.add(atom.arguments[0])
            waiting += [n for a in atom.arguments if isinstance(a, Integer) for m in a.terms for n in m]
    return found


def evaluated(integers: Iterable[Integer], values: Mapping[str, int]) -> list[int]:
    """The values of integers, from those of the inputs."""
    known: dict[int, int] = {}

    def of(x: Integer) -> int:
        return sum(c * math.prod(at(x.space, n) for n in m) for m, c in x.terms.items())

    def at(space: Space, number: int) -> int:
        if number not in known:
            known[number] = operation(space.atoms[number])
        return known[number]

    def operation(atom: Atom) -> int:
        if atom.kind == "input":
            return values[atom.arguments[0]]
        x, *more = atom.arguments
        if atom.kind == "choice":
            return of(more[0]) if of(x) else of(more[1])
        if atom.kind == "and":
            return of(x) & of(more[0])
        results: dict[str, Callable[[int], int]] = {
            "floor": lambda v: v >> more[0],
            "negative": lambda v: int(v < 0),
            "zero": lambda v: int(v == 0),
            "odd": lambda v: v & 1,
            "entry": lambda v: int(more[0][v]),
        }
        return results[atom.kind](of(x))

    return [of(x) for x in integers]

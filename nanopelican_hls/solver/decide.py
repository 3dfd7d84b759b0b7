"""Statements about integers, decided by the solver Bitwuzla on bit vectors."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from nanopelican_hls.errors import SolverError
from nanopelican_hls.extras import require
from nanopelican_hls.solver.integer import Atom, Integer, Key, Monomial, Space

if TYPE_CHECKING:
    import bitwuzla


#: terms of a polynomial in which all choices are written as products of their conditions
CASES = 2000


class Verdict(str, Enum):
    """What is known of a statement."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNPROVED = "unproved"


@dataclass(frozen=True)
class Answer:
    """Of a statement.

    Attributes
    ----------
    verdict : whether it holds for all inputs.
    counterexample : inputs for which it does not, by name; those missing may have any value.
    by_normal_form : whether both sides are the same polynomial, so that nothing was left to solve.
    reason : why it is unproved.
    """

    verdict: Verdict
    counterexample: Mapping[str, int] | None = None
    by_normal_form: bool = False
    reason: str = ""


def _width(low: int, high: int) -> int:
    """Bits of a two's complement word for all integers between two bounds."""
    return max(high.bit_length(), (~low).bit_length() if low < 0 else 0) + 1


def _arguments(x: Integer) -> frozenset[Key]:
    """What occurs in an integer as an argument, without constant terms."""
    found: set[Key] = set()
    seen: set[int] = set()
    waiting = [n for m in x.terms for n in m]
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        for argument in x.space.atoms[number].arguments:
            if isinstance(argument, Integer):
                found.add(argument.rest.key)
                waiting += [n for m in argument.terms for n in m]
    return frozenset(found)


def _primitive(key: Key) -> dict[Monomial, int]:
    """Terms without a common factor."""
    factor = math.gcd(*(c for _, c in key))
    return {m: c // factor for m, c in sorted(key)}


class Solver:
    """Decides statements about the integers of a space.

    Parameters
    ----------
    space : Space
    limit_s : float
        Time for a statement, in seconds.

    Raises
    ------
    SolverError
        If Bitwuzla is not installed.
    """

    def __init__(self, space: Space, limit_s: float = 60) -> None:
        require("bitwuzla", "a proof for all inputs", SolverError)
        import bitwuzla

        self.library, self.space, self.limit_s = bitwuzla, space, limit_s
        self.terms = bitwuzla.TermManager()
        #: number of statements that needed the solver, and the seconds that it took
        self.calls, self.seconds = 0, 0.0

    def equal(self, one: Integer, other: Integer, *, only_hidden: bool = False) -> Answer:
        """Whether two integers are equal for all inputs.

        With `only_hidden`, only what can be shown without what both sides share is tried: a quick answer, or none.
        """
        difference = one - other
        if not difference.terms:
            return Answer(Verdict.PROVED, by_normal_form=True)
        by_cases = difference.expanded(CASES)
        if by_cases is not None and not by_cases.terms:
            return Answer(Verdict.PROVED, by_normal_form=True)
        if difference.low > 0 or difference.high < 0:
            return Answer(Verdict.REFUTED, {})
        return self._never(lambda words: words.differ(one, other), _arguments(one) & _arguments(other), only_hidden)

    def within(self, x: Integer, low: int, high: int) -> Answer:
        """Whether an integer lies between two bounds for all inputs."""
        if x.low >= low and x.high <= high:
            return Answer(Verdict.PROVED, by_normal_form=True)
        return self._never(lambda words: words.outside(x, low, high), frozenset())

    def never(self, condition: Integer) -> Answer:
        """Whether a condition, 0 or 1, is 0 for all inputs."""
        return self.equal(condition, self.space.constant(0))

    def words(self) -> Words:
        """Bit vectors of integers, none of them hidden, for `agree`."""
        return Words(self, None)

    def agree(self, words: Words, one: bitwuzla.Term, other: bitwuzla.Term) -> Answer:
        """Whether two bit vectors, made from `words`, are equal for all inputs."""
        start = time.monotonic()
        answer = self._check(words, words.term("DISTINCT", one, other), self.limit_s)
        self.calls += 1
        self.seconds += time.monotonic() - start
        return answer

    def always_differ(self, words: Words, one: bitwuzla.Term, other: bitwuzla.Term, fixed: Mapping[str, int]) -> Answer:
        """Whether two bit vectors, made from `words`, differ for all inputs but those that are fixed."""
        start, equal = time.monotonic(), [words.term("EQUAL", one, other)]
        for name, value in fixed.items():
            if name in words.inputs:
                term, width = words.inputs[name]
                equal.append(words.term("EQUAL", term, words.constant(value, width)))
        formula = equal[0] if len(equal) == 1 else words.term("AND", *equal)
        answer = self._check(words, formula, self.limit_s)
        self.calls += 1
        self.seconds += time.monotonic() - start
        return answer

    def _never(
        self, statement: Callable[[Words], bitwuzla.Term], shared: AbstractSet[Key], only_hidden: bool = False
    ) -> Answer:
        """First with what both sides share, and with products, as inputs of their own: quick, and it proves more."""
        start = time.monotonic()
        for abstract in (True, False):
            words = Words(self, shared if abstract else None)
            answer = self._check(words, statement(words), self.limit_s / 4 if abstract else self.limit_s)
            if answer.verdict is Verdict.PROVED or not words.hidden:
                break
            if only_hidden:
                answer = Answer(Verdict.UNPROVED, reason=f"no answer within {self.limit_s / 4:g} s")
                break
        self.calls += 1
        self.seconds += time.monotonic() - start
        return answer

    def _check(self, words: Words, formula: Any, limit_s: float) -> Answer:
        options = self.library.Options()
        options.set(self.library.Option.PRODUCE_MODELS, True)
        options.set(self.library.Option.TIME_LIMIT_PER, max(1, int(1000 * limit_s)))  # 0 is without a limit
        solver = self.library.Bitwuzla(self.terms, options)
        solver.assert_formula(formula)
        for known in words.known:
            solver.assert_formula(known)
        result = solver.check_sat()
        if result == self.library.Result.UNSAT:
            return Answer(Verdict.PROVED)
        if result == self.library.Result.SAT:
            values = {name: int(solver.get_value(term).value(10)) for name, (term, _) in words.inputs.items()}
            signed = {
                name: value - (1 << width) if value >> (width - 1) else value
                for name, value in values.items()
                for width in [words.inputs[name][1]]
            }
            return Answer(Verdict.REFUTED, signed)
        return Answer(Verdict.UNPROVED, reason=f"no answer within {limit_s:g} s")


class Words:
    """Integers as bit vectors, each as narrow as its bounds allow.

    Attributes
    ----------
    inputs : bit vectors and widths of the inputs, by name.
    known : what holds for them.
    hidden : integers that are taken as inputs of their own: those that both sides share, and products; none if
        `shared` is None.
    """

    def __init__(self, solver: Solver, shared: AbstractSet[Key] | None) -> None:
        self.kinds, self.terms, self.space = solver.library.Kind, solver.terms, solver.space
        self.shared = shared
        #: what both sides share, without common factors, the longest first
        self.bases = sorted(map(_primitive, filter(None, shared or ())), key=len, reverse=True)
        self.inputs: dict[str, tuple[bitwuzla.Term, int]] = {}
        self.known: list[bitwuzla.Term] = []
        self.hidden: dict[Any, tuple[bitwuzla.Term, int]] = {}
        self._atoms: dict[int, tuple[bitwuzla.Term, int]] = {}
        self._integers: dict[Any, tuple[bitwuzla.Term, int]] = {}

    def term(self, kind: str, *arguments: Any) -> bitwuzla.Term:
        terms = [a for a in arguments if not isinstance(a, int)]
        indices = [a for a in arguments if isinstance(a, int)]
        return self.terms.mk_term(getattr(self.kinds, kind), terms, indices)

    def constant(self, value: int, width: int) -> bitwuzla.Term:
        return self.terms.mk_bv_value(self.terms.mk_bv_sort(width), str(value % (1 << width)), 10)

    def resized(self, term: bitwuzla.Term, width: int, wanted: int) -> bitwuzla.Term:
        """A signed word with more bits, or its lowest bits."""
        if wanted > width:
            return self.term("BV_SIGN_EXTEND", term, wanted - width)
        return term if wanted == width else self.term("BV_EXTRACT", term, wanted - 1, 0)

    def differ(self, one: Integer, other: Integer) -> bitwuzla.Term:
        (a, m), (b, n) = self._top(one), self._top(other)
        width = max(m, n)
        return self.term("DISTINCT", self.resized(a, m, width), self.resized(b, n, width))

    def _top(self, x: Integer) -> tuple[bitwuzla.Term, int]:
        """A side of a statement, which is not hidden itself."""
        hidden = self.shared is not None and x.rest.key in self.shared
        return self._sum(x) if hidden else self.integer(x)

    def outside(self, x: Integer, low: int, high: int) -> bitwuzla.Term:
        term, m = self.integer(x)
        width = max(m, _width(low, high))
        word = self.resized(term, m, width)
        below = self.term("BV_SLT", word, self.constant(low, width))
        return self.term("OR", below, self.term("BV_SGT", word, self.constant(high, width)))

    def integer(self, x: Integer) -> tuple[bitwuzla.Term, int]:
        if x.key not in self._integers:
            self._integers[x.key] = self._of(x)
        return self._integers[x.key]

    def _of(self, x: Integer) -> tuple[bitwuzla.Term, int]:
        width = _width(x.low, x.high)
        parts = [] if self.shared is None else self._hidden_parts(x.rest)
        if not parts:
            return self._sum(x)
        left = {m: c for m, c in x.terms.items() if not any(m in part.terms for part in parts)}
        total = self.resized(*self._sum(Integer(self.space, left)), width) if left else None
        for part in parts:
            word = self._hidden(part, width)
            total = word if total is None else self.term("BV_ADD", total, word)
        return total, width

    def _hidden_parts(self, x: Integer) -> list[Integer]:
        """What is hidden of an integer: multiples of what both sides share, and products.

        Products are told apart by the power of two that they have, since words lose those that are above them.
        """
        left, parts = dict(x.terms), []
        for base in self.bases:
            first, unit = next(iter(base.items()))
            factor, rest = divmod(left.get(first, 0), unit)
            if factor and not rest and all(left.get(m) == c * factor for m, c in base.items()):
                parts.append({m: left.pop(m) for m in base})
        powers: dict[int, dict[Monomial, int]] = {}
        for m, c in left.items():
            if sum(not self.space.atoms[n].is_flag for n in m) > 1:
                powers.setdefault(c & -c, {})[m] = c
        return [Integer(self.space, terms) for terms in (*parts, *powers.values())]

    def _hidden(self, part: Integer, width: int) -> bitwuzla.Term:
        """A variable, the same for all multiples of these terms."""
        factor = math.gcd(*part.terms.values()) * (1 if part.terms[max(part.terms)] > 0 else -1)
        base = Integer(self.space, {m: c // factor for m, c in part.terms.items()})
        if base.key not in self.hidden:
            term = self._variable(base, f"shared {len(self.hidden)}")
            self.hidden[base.key] = term, _width(base.low, base.high)
        word = self.resized(*self.hidden[base.key], width)
        return word if factor == 1 else self.term("BV_MUL", word, self.constant(factor, width))

    def _sum(self, x: Integer) -> tuple[bitwuzla.Term, int]:
        width, total = _width(x.low, x.high), None
        for monomial, coefficient in sorted(x.terms.items()):
            part = self._scaled(monomial, coefficient, width)
            if part is not None:
                total = part if total is None else self.term("BV_ADD", total, part)
        return total if total is not None else self.constant(0, width), width

    def _variable(self, x: Integer | Atom, name: str) -> bitwuzla.Term:
        width = _width(x.low, x.high)
        term = self.terms.mk_const(self.terms.mk_bv_sort(width), name)
        self.known.append(self.term("BV_SGE", term, self.constant(x.low, width)))
        self.known.append(self.term("BV_SLE", term, self.constant(x.high, width)))
        return term

    def _scaled(self, monomial: Monomial, coefficient: int, width: int) -> bitwuzla.Term | None:
        """A term of a polynomial, modulo 2^width."""
        if not monomial:
            return self.constant(coefficient, width)
        power = (coefficient & -coefficient).bit_length() - 1
        if power >= width:
            return None
        flags = [n for n in monomial if self.space.atoms[n].is_flag]
        others = [n for n in monomial if not self.space.atoms[n].is_flag]
        if others:
            word = self._product(others, width)
            if coefficient != 1:
                word = self.term("BV_MUL", word, self.constant(coefficient, width))
        else:
            word = self.constant(coefficient, width)
        if flags:
            is_one = [self._flag(n) for n in flags]
            condition = is_one[0] if len(is_one) == 1 else self.term("AND", *is_one)
            word = self.term("ITE", condition, word, self.constant(0, width))
        return word

    def _product(self, numbers: list[int], width: int) -> bitwuzla.Term:
        term, m = self._atom(numbers[0])
        for number in numbers[1:]:
            factor, n = self._atom(number)
            wide = min(width, m + n)
            term, m = self.term("BV_MUL", self.resized(term, m, wide), self.resized(factor, n, wide)), wide
        return self.resized(term, m, width)

    def _flag(self, number: int) -> bitwuzla.Term:
        """Whether an atom that is 0 or 1 is 1."""
        term, _ = self._atom(number)
        return self.term("EQUAL", self.term("BV_EXTRACT", term, 0, 0), self.constant(1, 1))

    def _truth(self, condition: Integer) -> bitwuzla.Term:
        term, _ = self.integer(condition)
        return self.term("EQUAL", self.term("BV_EXTRACT", term, 0, 0), self.constant(1, 1))

    def _atom(self, number: int) -> tuple[bitwuzla.Term, int]:
        if number not in self._atoms:
            atom = self.space.atoms[number]
            self._atoms[number] = self._operation(atom), _width(atom.low, atom.high)
        return self._atoms[number]

    def _operation(self, atom: Atom) -> bitwuzla.Term:
        width = _width(atom.low, atom.high)
        if atom.kind == "input":
            name = atom.arguments[0]
            self.inputs[name] = self._variable(atom, name), width
            return self.inputs[name][0]
        x = atom.arguments[0]
        if atom.kind == "choice":
            one, other = (self.resized(*self.integer(a), width) for a in atom.arguments[1:])
            return self.term("ITE", self._truth(x), one, other)
        term, m = self.integer(x)
        if atom.kind == "floor":
            shift = atom.arguments[1]
            high = self.term("BV_EXTRACT", term, m - 1, min(shift, m - 1))
            return self.resized(high, m - min(shift, m - 1), width)
        if atom.kind == "and":
            other, n = self.integer(atom.arguments[1])
            wide = max(m, n)
            both = self.term("BV_AND", self.resized(term, m, wide), self.resized(other, n, wide))
            return self.resized(both, wide, width)
        if atom.kind == "entry":
            return self._entry(term, atom.arguments[1], width)
        if atom.kind == "odd":
            bit = self.term("BV_EXTRACT", term, 0, 0)
        elif atom.kind == "negative":
            bit = self.term("BV_EXTRACT", term, m - 1, m - 1)
        else:
            bit = self.term("BV_COMP", term, self.constant(0, m))
        return self.term("BV_ZERO_EXTEND", bit, width - 1)

    def _entry(self, place: bitwuzla.Term, table: tuple[int, ...], width: int) -> bitwuzla.Term:
        """A table as a tree of choices by the bits of the place."""
        entries = [self.constant(value, width) for value in table]
        bit = 0
        while len(entries) > 1:
            flag = self.term("EQUAL", self.term("BV_EXTRACT", place, bit, bit), self.constant(1, 1))
            pairs = zip(entries[::2], [*entries[1::2], *entries[-1:]][: len(entries[::2])], strict=True)
            entries = [zero if zero is one else self.term("ITE", flag, one, zero) for zero, one in pairs]
            bit += 1
        return entries[0]

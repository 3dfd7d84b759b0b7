"""A netlist in all clock cycles, for all inputs and any content of its registers: as bit vectors, or as integers.

Bit vectors mirror the hardware cell by cell, which suits adders, tables and choices. As integers, words are
polynomials, which suits products and long sums: they are compared term by term, and no solver multiplies.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from nanopelican_hls.solver.btor import Cell, Netlist
from nanopelican_hls.solver.decide import Words
from nanopelican_hls.solver.integer import Integer, Space, both, choice

if TYPE_CHECKING:
    import bitwuzla

Value = TypeVar("Value")
#: a node in a clock cycle
Place = tuple[int, int]


class Arithmetic(ABC, Generic[Value]):
    """What the words of a simulation are."""

    @abstractmethod
    def word(self, value: Integer, width: int) -> Value:
        """The lowest bits of an integer."""

    @abstractmethod
    def result(self, cell: Cell, operands: Sequence[tuple[Value, int]]) -> Value:
        """What a cell computes from words of these widths."""


class Simulation(Generic[Value]):
    """Runs a netlist backwards from what is asked: nothing is computed that it does not depend on.

    Parameters
    ----------
    netlist : Netlist
    arithmetic : Arithmetic
    space : Space
        Of the variables that stand where nothing is known.
    known : mapping of (node, cycle) to Integer
        What inputs have, and what other nodes have instead of what they compute. It may grow.
    """

    def __init__(
        self, netlist: Netlist, arithmetic: Arithmetic[Value], space: Space, known: Mapping[Place, Integer]
    ) -> None:
        self.netlist, self.arithmetic, self.space, self.known = netlist, arithmetic, space, known
        self._values: dict[Place, Value] = {}

    def value(self, number: int, cycle: int) -> Value:
        """The word at a node in a clock cycle."""
        waiting = [(number, cycle)]
        while waiting:
            place = waiting[-1]
            missing = [] if place in self._values else [p for p in self.read_by(place) if p not in self._values]
            waiting += missing
            if not missing:
                waiting.pop()
                if place not in self._values:
                    self._values[place] = self._computed(place)
        return self._values[number, cycle]

    def forget(self) -> None:
        """What was computed before `known` grew is computed anew."""
        self._values.clear()

    def cone(self, number: int, cycle: int) -> set[Place]:
        """What a word is computed from: nodes, down to those that are known or may be anything."""
        found: set[Place] = set()
        waiting = [(number, cycle)]
        while waiting:
            place = waiting.pop()
            if place not in found:
                found.add(place)
                waiting += self.read_by(place)
        return found

    def read_by(self, place: Place) -> list[Place]:
        """From where a word is computed; nowhere if it is known, or may be anything."""
        number, cycle = place
        cell = self.netlist.cells[number]
        if place in self.known:
            return []
        if cell.operator == "state":
            before = self.netlist.following.get(number)
            return [] if before is None or cycle == 0 else [(before, cycle - 1)]
        return [(operand, cycle) for operand in cell.operands]

    def _computed(self, place: Place) -> Value:
        number, cycle = place
        cell = self.netlist.cells[number]
        if place in self.known:
            return self.arithmetic.word(self.known[place], cell.width)
        if cell.operator == "const":
            return self.arithmetic.word(self.space.constant(cell.value), cell.width)
        read = self.read_by(place)
        if not read:
            anything = self.space.input(f"net {number} in cycle {cycle}", 0, (1 << cell.width) - 1)
            return self.arithmetic.word(anything, cell.width)
        if cell.operator == "state":
            return self._values[read[0]]
        return self.arithmetic.result(cell, [(self._values[p], self.netlist.cells[p[0]].width) for p in read])


#: operators whose result has the width of their operands
BITWISE = {
    "not": "BV_NOT",
    "neg": "BV_NEG",
    "redor": "BV_REDOR",
    "redand": "BV_REDAND",
    "add": "BV_ADD",
    "sub": "BV_SUB",
    "mul": "BV_MUL",
    "and": "BV_AND",
    "or": "BV_OR",
    "xor": "BV_XOR",
    "xnor": "BV_XNOR",
    "concat": "BV_CONCAT",
    "eq": "BV_COMP",
}
COMPARISONS = {
    "ult": "BV_ULT",
    "ulte": "BV_ULE",
    "ugt": "BV_UGT",
    "ugte": "BV_UGE",
    "slt": "BV_SLT",
    "slte": "BV_SLE",
    "sgt": "BV_SGT",
    "sgte": "BV_SGE",
}


class BitVectors(Arithmetic["bitwuzla.Term"]):
    """Words as the solver's bit vectors.

    Parameters
    ----------
    words : Words
        Of the integers that are known.
    """

    def __init__(self, words: Words) -> None:
        self.words = words

    def word(self, value: Integer, width: int) -> bitwuzla.Term:
        return self.words.resized(*self.words.integer(value), width)

    def result(self, cell: Cell, operands: Sequence[tuple[bitwuzla.Term, int]]) -> bitwuzla.Term:
        terms, term = [x for x, _ in operands], self.words.term
        if cell.operator in ("uext", "sext"):
            kind = "BV_ZERO_EXTEND" if cell.operator == "uext" else "BV_SIGN_EXTEND"
            return term(kind, *terms, *cell.indices)
        if cell.operator == "slice":
            return term("BV_EXTRACT", *terms, *cell.indices)
        if cell.operator == "ite":
            return term("ITE", self._is_one(terms[0]), *terms[1:])
        if cell.operator == "neq":
            return term("BV_NOT", term("BV_COMP", *terms))
        if cell.operator in COMPARISONS:
            return term("ITE", term(COMPARISONS[cell.operator], *terms), self._bit(1), self._bit(0))
        return term(BITWISE[cell.operator], *terms)

    def _bit(self, value: int) -> bitwuzla.Term:
        return self.words.constant(value, 1)

    def _is_one(self, flag: bitwuzla.Term) -> bitwuzla.Term:
        return self.words.term("EQUAL", flag, self._bit(1))


class Integers(Arithmetic[Integer]):
    """Words as integers: any one that is congruent to the word modulo ``2**width``.

    Wrapping is applied where something reads a word as unsigned or as signed, so sums and products stay polynomials.

    Attributes
    ----------
    deadline : as of `time.monotonic`; later, a TimeoutError is raised, since polynomials may grow without limit.
    """

    def __init__(self) -> None:
        self.deadline = math.inf

    def word(self, value: Integer, width: int) -> Integer:
        return _within(value, width)

    def result(self, cell: Cell, operands: Sequence[tuple[Integer, int]]) -> Integer:
        if time.monotonic() > self.deadline:
            raise TimeoutError
        return _within(_result(cell, operands), cell.width)


ARITHMETIC: Mapping[str, Callable[[Integer, Integer], Integer]] = {
    "add": Integer.__add__,
    "sub": Integer.__sub__,
    "mul": Integer.__mul__,
}


def _fits(x: Integer, width: int) -> bool:
    """Whether it is between the least signed and the greatest unsigned number of a width."""
    return x.low >= -(1 << (width - 1)) and x.high < 1 << width


def _within(x: Integer, width: int) -> Integer:
    """A congruent integer that is hardly wider than its word."""
    if _fits(x, width):
        return x
    x = x.reduced(width)
    return x if _fits(x, width + 2) else x.signed(width)


def _result(cell: Cell, operands: Sequence[tuple[Integer, int]]) -> Integer:
    x, width = operands[0]
    y = operands[1][0] if len(operands) > 1 else x
    operator = cell.operator
    if operator == "uext":
        return unsigned(x, width)
    if operator == "sext":
        return x.signed(width)
    if operator == "slice":
        return x.floor(cell.indices[1])
    if operator == "concat":
        total, low = x.space.constant(0), 0
        for value, bits in reversed(operands):
            total, low = total + unsigned(value, bits) * (1 << low), low + bits
        return total
    if operator in ("not", "neg"):
        return -x - 1 if operator == "not" else -x
    if operator in ARITHMETIC:
        if operator == "mul":
            x, y = (v if _fits(v, width) else v.signed(width) for v in (x, y))
        return ARITHMETIC[operator](x, y)
    if operator in ("and", "or", "xor", "xnor"):
        return _bitwise(operator, x, y, width)
    if operator == "redor":
        return 1 - x.signed(width).zero()
    if operator == "redand":
        return (x + 1).signed(width).zero()
    if operator == "ite":
        return choice(_flag(x), y, operands[2][0])
    return _comparison(operator, x, y, width)


def _bitwise(operator: str, x: Integer, y: Integer, width: int) -> Integer:
    if width == 1:
        x, y = _flag(x), _flag(y)
        common = both(x, y)
    else:
        x, y = (_bits(v, width) for v in (x, y))
        common = x.masked(y)
    if operator == "and":
        return common
    return x + y - common if operator == "or" else x + y - common * 2 if operator == "xor" else common * 2 - x - y - 1


def unsigned(x: Integer, width: int) -> Integer:
    """The word as a number of a sum: bits that are put together again are then the word that they are of."""
    if width > 1 or (x.low >= 0 and x.high <= 1):
        return x.modulo(width)
    return (x - x.floor(1) * 2)._within(0, 1)


def _flag(x: Integer) -> Integer:
    """A word of one bit as a condition."""
    atoms = x.space.atoms
    is_flag = x.low >= 0 and x.high <= 1 and all(atoms[n].is_flag for m in x.terms for n in m)
    return x if is_flag else x.odd()


def _bits(x: Integer, width: int) -> Integer:
    """A congruent integer, not negative if that is at hand; a flag on all bits is 0 or -1, which selects a word."""
    reduced = x.reduced(width)
    if reduced.low == -1 and reduced.high == 0:
        return reduced
    return x if x.low >= 0 and x.high < 1 << width else x.signed(width)


def _comparison(operator: str, x: Integer, y: Integer, width: int) -> Integer:
    if operator in ("eq", "neq"):
        equal = (x - y).signed(width).zero()
        return equal if operator == "eq" else 1 - equal
    x, y = (v.signed(width) if operator.startswith("s") else v.modulo(width) for v in (x, y))
    return {
        "lt": lambda: x.below(y),
        "lte": lambda: 1 - y.below(x),
        "gt": lambda: y.below(x),
        "gte": lambda: 1 - x.below(y),
    }[operator[1:]]()

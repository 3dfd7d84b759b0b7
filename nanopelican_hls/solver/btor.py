"""Hardware as BTOR2, the word-level format of model checkers (Niemetz, Preiner, Wolf, Biere, CAV 2018).

Only what Yosys makes of our Verilog is known; anything else is an error that names the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nanopelican_hls.errors import SolverError

CONSTANTS: Mapping[str, int] = {"const": 2, "constd": 10, "consth": 16}
#: operands of each operator, and constants after them
OPERANDS = {
    **dict.fromkeys(("uext", "sext", "slice", "not", "neg", "redor", "redand"), 1),
    **dict.fromkeys(("add", "sub", "mul", "and", "or", "xor", "xnor", "concat"), 2),
    **dict.fromkeys(("eq", "neq", "ult", "ulte", "ugt", "ugte", "slt", "slte", "sgt", "sgte"), 2),
    "ite": 3,
}
#: operators that move bits, and may be nothing else
WIRING = ("slice", "concat", "uext", "or")
#: number of a cell that is 0
ZERO = 0
INDICES = {"uext": 1, "sext": 1, "slice": 2}


@dataclass(frozen=True)
class Cell:
    """A line of BTOR2 that has a value.

    Attributes
    ----------
    operator : its name.
    width : bits of the result.
    operands : numbers of other cells.
    indices : constants after them: the highest and lowest bit of a slice, places added to a word.
    value : of a constant.
    """

    operator: str
    width: int
    operands: tuple[int, ...] = ()
    indices: tuple[int, ...] = ()
    value: int = 0


@dataclass(frozen=True)
class Part:
    """Some bits of a cell."""

    number: int
    low: int
    width: int


@dataclass
class Netlist:
    """A flat design with one clock.

    Attributes
    ----------
    cells : by number.
    inputs, outputs : numbers of cells, by name; inputs without a name are bits that may be anything.
    following : of each state, the cell whose value it takes at the clock edge.
    """

    cells: dict[int, Cell] = field(default_factory=dict)
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    following: dict[int, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Netlist:
        """Read a file as Yosys writes it; nothing is assumed of what a register holds at first.

        Raises
        ------
        SolverError
            If it has memories, or operators that are not known.
        """
        found, widths = cls(), {}
        for line in text.splitlines():
            words = line.partition(";")[0].split()
            if not words:
                continue
            number, operator, rest = int(words[0]), words[1], words[2:]
            if operator == "sort":
                if rest[0] != "bitvec":
                    raise _error(f"has a value of sort {rest[0]!r}", line)
                widths[number] = int(rest[1])
            elif operator == "output":
                found.outputs[rest[1]] = int(rest[0])
            elif operator == "next":
                found.following[int(rest[1])] = int(rest[2])
            elif operator != "init":
                found.cells[number] = _cell(operator, widths[int(rest[0])], rest[1:], line)
                if operator == "input" and len(rest) > 1:
                    found.inputs[rest[1]] = number
        found.cells[ZERO] = Cell("const", max(widths.values(), default=1))
        found._rewire()
        return found

    def parts(self, number: int, low: int, width: int) -> list[Part]:
        """The cells that bits of a word come from, other than by wiring, the lowest bits first."""
        cell = self.cells[number]
        if low + width > cell.width:
            raise ValueError(f"bits {low} to {low + width - 1} of a word of {cell.width}")
        if cell.operator == "slice":
            return self.parts(cell.operands[0], low + cell.indices[1], width)
        if cell.operator == "concat":
            found, first = [], 0
            for operand in reversed(cell.operands):
                end = first + self.cells[operand].width
                if first < low + width and low < end:
                    inner = max(low - first, 0)
                    found += self.parts(operand, inner, min(low + width, end) - first - inner)
                first = end
            return _merged(found)
        if cell.operator == "uext":
            inside = min(max(self.cells[cell.operands[0]].width - low, 0), width)
            found = self.parts(cell.operands[0], low, inside) if inside else []
            return found + ([Part(ZERO, 0, width - inside)] if inside < width else [])
        if cell.operator == "or":
            return self._one_of(number, low, width)
        return [Part(number, low, width)]

    def _one_of(self, number: int, low: int, width: int) -> list[Part]:
        """Parts of an "or" whose operands have bits at different places: wiring, too."""
        one, other = (self.parts(operand, low, width) for operand in self.cells[number].operands)
        found: list[Part] = []
        done = 0
        while one and other:
            a, b = one.pop(0), other.pop(0)
            bits = min(a.width, b.width)
            for queue, part in ((one, a), (other, b)):
                if part.width > bits:
                    queue.insert(0, Part(part.number, part.low + bits, part.width - bits))
            if self._is_zero(a) or self._is_zero(b):
                chosen = b if self._is_zero(a) else a
                found.append(Part(chosen.number, chosen.low, bits))
            else:
                found.append(Part(number, low + done, bits))
            done += bits
        return _merged(found)

    def _is_zero(self, part: Part) -> bool:
        cell = self.cells[part.number]
        return cell.operator == "const" and not cell.value >> part.low & ((1 << part.width) - 1)

    def _rewire(self) -> None:
        """Make all wiring slices of cells that are none, and words put together from these."""
        wired = {}
        for number, cell in self.cells.items():
            if cell.operator in WIRING:
                parts = self.parts(number, 0, cell.width)
                if all(part.number != number for part in parts):
                    wired[number] = parts
        slices: dict[Part, int] = {}
        fresh = max(self.cells) + 1
        for number, parts in wired.items():
            if len(parts) == 1:
                self.cells[number] = _slice(parts[0])
                continue
            operands = []
            for part in parts:
                whole = part.low == 0 and part.width == self.cells[part.number].width
                if not whole and part not in slices:
                    slices[part] = fresh
                    self.cells[fresh] = _slice(part)
                    fresh += 1
                operands.append(part.number if whole else slices[part])
            self.cells[number] = Cell("concat", self.cells[number].width, tuple(reversed(operands)))

    @cached_property
    def slices(self) -> dict[int, list[tuple[int, Part]]]:
        """The slices of each cell, by number, and what they are slices of."""
        found: dict[int, list[tuple[int, Part]]] = {}
        for number, cell in self.cells.items():
            if cell.operator == "slice":
                part = Part(cell.operands[0], cell.indices[1], cell.width)
                found.setdefault(part.number, []).append((number, part))
        return found


def _merged(parts: list[Part]) -> list[Part]:
    """Without parts that continue the ones before them."""
    found: list[Part] = []
    for part in parts:
        last = found[-1] if found else None
        if last is not None and part.number == last.number and part.low == last.low + last.width:
            found[-1] = Part(last.number, last.low, last.width + part.width)
        else:
            found.append(part)
    return found


def _slice(part: Part) -> Cell:
    return Cell("slice", part.width, (part.number,), (part.low + part.width - 1, part.low))


def _cell(operator: str, width: int, rest: list[str], line: str) -> Cell:
    if operator in ("input", "state"):
        return Cell(operator, width)
    if operator in CONSTANTS:
        return Cell("const", width, value=int(rest[0], CONSTANTS[operator]))
    if operator in ("zero", "one", "ones"):
        return Cell("const", width, value={"zero": 0, "one": 1, "ones": (1 << width) - 1}[operator])
    count = OPERANDS.get(operator)
    if count is None:
        raise _error(f"has the operator {operator!r}", line)
    indices = tuple(map(int, rest[count : count + INDICES.get(operator, 0)]))
    return Cell(operator, width, tuple(map(int, rest[:count])), indices)


def _error(what: str, line: str) -> SolverError:
    remedy = "write the Verilog with the operators of solver/btor.py"
    return SolverError(what, where=f"BTOR2 line {line!r}", remedy=remedy)

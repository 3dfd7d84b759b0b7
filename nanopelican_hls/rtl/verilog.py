"""Verilog statements for operations, with alkaid's primitives (`alkaid_adapter.PRIMITIVES`), and table modules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from nanopelican_hls.errors import RtlError
from nanopelican_hls.rtl.alkaid_adapter import Opcode

REPORT = "report the network: this is a bug in the generator"


@dataclass(frozen=True)
class Net:
    """A number on a net: an integer in units of ``2**exponent``; one of zero width is 0 and has no net."""

    name: str
    bits: int
    signed: bool
    exponent: int

    @property
    def declaration(self) -> str:
        return f"wire [{self.bits - 1}:0] {self.name};"

    @property
    def whole(self) -> str:
        return self.slice(self.bits - 1, 0) if self.bits else "1'b0"

    @property
    def width(self) -> int:
        """Width of `whole`."""
        return max(self.bits, 1)

    @property
    def top(self) -> str:
        return f"{self.name}[{self.bits - 1}]"

    def slice(self, top: int, bottom: int) -> str:
        """Bits `top` down to `bottom`, sign-extended if necessary."""
        copies = top - max(self.bits, bottom) + 1
        if bottom < 0 or (copies > 0 and not self.signed):
            raise RtlError(
                f"has no bits {top} to {bottom}: it is {self.bits} bits wide", where=self.name, remedy=REPORT
            )
        if copies <= 0:
            return f"{self.name}[{top}:{bottom}]"
        sign = f"{{{copies}{{{self.top}}}}}"
        return sign if bottom >= self.bits else f"{{{sign}, {self.name}[{self.bits - 1}:{bottom}]}}"

    def extended(self, exponent: int, bits: int) -> str:
        """The number in `bits` bits on another grid.

        The bits below a coarser grid must be 0, those above a narrower type copies of the sign.
        """
        below = self.exponent - exponent
        above = bits - self.bits - below
        kept = self.bits - 1 + min(0, above), max(0, -below)
        name = self.name if kept == (self.bits - 1, 0) else f"{self.name}[{kept[0]}:{kept[1]}]"
        sign = self.top if self.signed else "1'b0"
        parts = [f"{{{above}{{{sign}}}}}"] * (above > 0) + [name] + [f"{below}'b0"] * (below > 0)
        return f"{{{', '.join(parts)}}}" if len(parts) > 1 else name


@dataclass(frozen=True)
class Step:
    """An operation: its index, opcode, nets, alkaid's data, and the module name of a table."""

    place: int
    opcode: int
    result: Net
    operands: tuple[Net, ...]
    data: tuple[int, ...] = ()
    table: str = ""

    def instance(self, module: str, parameters: Sequence[int], *inputs: str) -> str:
        values = f" #({', '.join(str(int(value)) for value in parameters)})" if parameters else ""
        return f"{module}{values} op_{self.place} ({', '.join([*inputs, self.result.whole])});"

    def assign(self, expression: str) -> str:
        return f"assign {self.result.whole} = {expression};"


def statement(step: Step) -> str:
    """The declaration of a result and the statement that drives it.

    Raises
    ------
    RtlError
        If the operation is not supported.
    """
    if step.opcode not in STATEMENTS:
        raise RtlError(
            f"has no Verilog (supported operations: {', '.join(each.name for each in STATEMENTS)})",
            where=f"operation {step.opcode} of alkaid, which drives {step.result.name}",
            remedy=REPORT,
        )
    return f"{step.result.declaration} {STATEMENTS[Opcode(step.opcode)](step)}"


def table_module(index_bits: int, bits: int, entries: Sequence[int | None]) -> tuple[str, str]:
    """The name and the Verilog module of a table; equal tables share both.

    Parameters
    ----------
    index_bits, bits : int
        Widths of index and entries.
    entries : sequence of int or None
        By index; None where the index cannot occur.
    """
    digits, index_digits = -(-bits // 4), max(1, -(-index_bits // 4))
    mask = (1 << bits) - 1
    values = ["X" * digits if entry is None else f"{entry & mask:0{digits}X}" for entry in entries]
    cases = [f"{index_bits}'h{k:0{index_digits}X}: out = {bits}'h{value};" for k, value in enumerate(values)]
    body = [
        f"(input [{index_bits - 1}:0] in, output reg [{bits - 1}:0] out);",
        "always @(*) case (in)",
        *cases,
        f"default: out = {{{bits}{{1'bx}}}};",
        "endcase",
        "endmodule",
        "",
    ]
    text = "\n".join(body)
    name = f"table_{sha256(text.encode()).hexdigest()[:32]}"
    return name, f"module {name}{text}"


def _input(step: Step) -> str:
    return f"assign {step.result.name} = x{step.data[0]};"


def _negation(step: Step) -> str:
    (a,) = step.operands
    return step.instance("negative", (a.bits, step.result.bits, a.signed), a.name)


def _sum(step: Step) -> str:
    a, b = step.operands
    return _shifted_sum(step, a, b, b.whole, b.exponent + step.data[0], step.opcode == Opcode.DIFFERENCE)


def _constant_sum(step: Step) -> str:
    (a,) = step.operands
    value, fraction = step.data
    constant = Net("", abs(value).bit_length(), False, -fraction)
    return _shifted_sum(step, a, constant, f"{constant.bits}'b{abs(value):b}", -fraction, value < 0)


def _shifted_sum(step: Step, a: Net, b: Net, b_bits: str, b_exponent: int, subtract: bool) -> str:
    """``a + b`` or ``a - b`` on the finer grid of the two, truncated to the grid of the result."""
    dropped = step.result.exponent - min(a.exponent, b_exponent)
    parameters = (a.bits, b.bits, a.signed, b.signed, step.result.bits, dropped, b_exponent - a.exponent, subtract)
    return step.instance("shift_adder", parameters, a.whole, b_bits)


def _ternary(step: Step) -> str:
    signs, shifts = step.data[0:6:2], step.data[1:6:2]
    exponents = [net.exponent + shift for net, shift in zip(step.operands, shifts, strict=True)]
    grid = min(exponents)
    parameters = [
        value
        for net, plus, exponent in zip(step.operands, signs, exponents, strict=True)
        for value in (net.bits, net.signed, not plus, exponent - grid)
    ]
    parameters += [step.result.bits, step.result.exponent - grid]
    return step.instance("ternary_adder", parameters, *(net.whole for net in step.operands))


def _relu(step: Step) -> str:
    (a,) = step.operands
    bits, lowest = step.result.bits, step.result.exponent - a.exponent
    selected = a.slice(lowest + bits - 1, lowest)
    return step.assign(f"{selected} & {{{bits}{{~{a.top}}}}}" if a.signed else selected)


def _bits(step: Step) -> str:
    (a,) = step.operands
    lowest = step.result.exponent - a.exponent - step.data[0]
    return step.assign(a.slice(lowest + step.result.bits - 1, lowest))


def _constant(step: Step) -> str:
    return step.assign(f"'b{step.data[0] % (1 << step.result.bits):b}")


def _choice(step: Step) -> str:
    """A multiplexer controlled by the MSB of the third operand."""
    a, b, by = step.operands
    up_a = a.exponent - step.result.exponent
    up_b = b.exponent + step.data[0] - step.result.exponent
    if up_a and up_b:
        raise RtlError(
            f"selects between numbers shifted by {up_a} and {up_b}, of which one must be 0",
            where=step.result.name,
            remedy=REPORT,
        )
    parameters = (a.width, b.width, a.signed, b.signed, step.result.bits, max(up_b, 0) - max(up_a, 0))
    return step.instance("mux", parameters, by.top, a.whole, b.whole)


def _product(step: Step) -> str:
    a, b = step.operands
    return step.instance("multiplier", (a.bits, b.bits, a.signed, b.signed, step.result.bits), a.whole, b.whole)


def _table(step: Step) -> str:
    return step.instance(step.table, (), step.operands[0].name)


def _unary(step: Step) -> str:
    return step.assign("~|&"[step.data[0]] + step.operands[0].name)


def _binary(step: Step) -> str:
    a, b = step.operands
    data_shift, operator = step.data
    shift = b.exponent + data_shift - a.exponent
    return step.instance(
        "binop", (a.bits, b.bits, a.signed, b.signed, step.result.bits, shift, operator), a.name, b.name
    )


STATEMENTS: dict[Opcode, Callable[[Step], str]] = {
    Opcode.NEGATION: _negation,
    Opcode.INPUT: _input,
    Opcode.SUM: _sum,
    Opcode.DIFFERENCE: _sum,
    Opcode.RELU: _relu,
    Opcode.BITS: _bits,
    Opcode.CONSTANT_SUM: _constant_sum,
    Opcode.CONSTANT: _constant,
    Opcode.CHOICE: _choice,
    Opcode.PRODUCT: _product,
    Opcode.TABLE: _table,
    Opcode.UNARY: _unary,
    Opcode.BINARY: _binary,
    Opcode.TERNARY: _ternary,
}

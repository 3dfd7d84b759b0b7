"""A number of one jet: a C++ expression of integers that cannot overflow."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.fixed_point import FixedRange, Quantiser, Rounding

#: how tightly the outermost operator of an expression binds: operands that bind less need parentheses
LOOSE, BIT_AND, SUM, PRODUCT, ATOM = range(5)
#: widths of C++ integers; arithmetic on narrower ones than `PROMOTED` is done in that
WIDTHS = (16, 32, 64)
PROMOTED = 32


def width(values: FixedRange) -> int:
    """Bits of the narrowest signed C++ integer that holds a range.

    Raises
    ------
    FirmwareError
        If there is none.
    """
    needed = values.bits + (not values.signed)
    for bits in WIDTHS:
        if needed <= bits:
            return bits
    raise FirmwareError(
        f"an intermediate value needs {needed} bits, more than the {WIDTHS[-1]} of a C++ integer",
        where=f"grid of 2^{values.exponent}",
        remedy="narrow the quantisers upstream, or move their grids closer together",
    )


def cpp_type(values: FixedRange) -> str:
    """The narrowest C++ type that holds a range."""
    return f"int{width(values)}_t"


@dataclass(frozen=True)
class Number:
    """An expression whose value, times the grid of its range, is a number of a jet.

    Attributes
    ----------
    text : C++ expression.
    range : of its value; the expression and all its parts stay within their types.
    binding : how tightly its outermost operator binds.
    bits : width of its C++ type.
    value : the integer, if it is a constant.
    multiple : of another number by a constant, if it is one.
    """

    text: str
    range: FixedRange
    binding: int = ATOM
    bits: int = PROMOTED
    value: int | None = None
    multiple: tuple[Number, int] | None = None

    @classmethod
    def literal(cls, value: int, exponent: int) -> Number:
        values = FixedRange(value, value, exponent)
        return cls(str(value), values, bits=max(PROMOTED, width(values)), value=value)

    @classmethod
    def variable(cls, text: str, values: FixedRange, known: FixedRange | None = None) -> Number:
        """A variable of the type of a range; its values may be known to lie in a narrower one."""
        return cls(text, known or values, bits=width(values))

    @property
    def is_flag(self) -> bool:
        """Whether it is 0 or 1, as entries of a mask are."""
        return self.value is None and self.range == FixedRange(0, 1, 0)

    def within(self, binding: int) -> str:
        """The text as an operand of an operator that binds as tightly as given."""
        return self.text if self.binding >= binding else f"({self.text})"

    def on_grid(self, exponent: int) -> Number:
        """The same integer, taken as a number on another grid."""
        return replace(self, range=FixedRange(self.range.low, self.range.high, exponent))

    def at(self, exponent: int) -> Number:
        """The same number on another grid, on which it is known to lie."""
        shift = self.range.exponent - exponent
        if shift == 0:
            return self
        return self * Number.literal(1 << shift, -shift) if shift > 0 else self.floored(-shift)

    def _binary(self, sign: str, other: Number, values: FixedRange, binding: int) -> Number:
        """An operator of C++ on both; the left operand is made wide enough for the result."""
        bits = max(PROMOTED, width(values), self.bits, other.bits)
        left = self.within(binding)
        if bits > max(PROMOTED, self.bits, other.bits):
            left = f"int{bits}_t{{{self.text}}}"
        # the right operand of - needs parentheses even if it binds the same, and that of * to stay exact
        right = other.within(binding + (sign != "+"))
        return Number(f"{left} {sign} {right}", values, binding, bits)

    def __add__(self, other: Number) -> Number:
        exponent = min(self.range.exponent, other.range.exponent)
        a, b = self.at(exponent), other.at(exponent)
        if a.value is not None:
            a, b = b, a
        if a.value is not None and b.value is not None:
            return Number.literal(a.value + b.value, exponent)
        if b.value == 0:
            return a
        if b.value is not None and b.value < 0:
            return a._binary("-", Number.literal(-b.value, exponent), a.range + b.range, SUM)
        return a._binary("+", b, a.range + b.range, SUM)

    def __sub__(self, other: Number) -> Number:
        if other.value is not None:
            return self + Number.literal(-other.value, other.range.exponent)
        exponent = min(self.range.exponent, other.range.exponent)
        a, b = self.at(exponent), other.at(exponent)
        return a._binary("-", b, a.range - b.range, SUM)

    def __mul__(self, other: Number) -> Number:
        a, b = (other, self) if self.value is not None else (self, other)
        values = a.range * b.range
        if a.value is not None and b.value is not None:
            return Number.literal(a.value * b.value, values.exponent)
        if b.value == 0:
            return Number.literal(0, values.exponent)
        if b.value == 1:
            return a.on_grid(values.exponent)
        if b.value is not None and a.multiple is not None:
            number, by = a.multiple
            return (number * Number.literal(by * b.value, 0)).on_grid(values.exponent)
        if b.is_flag:
            a, b = b, a
        if a.is_flag and b.is_flag:
            return Number(f"{a.within(BIT_AND)} & {b.within(BIT_AND)}", values, BIT_AND)
        if a.is_flag:
            return Number(f"{a.within(BIT_AND)} ? {b.within(SUM)} : 0", values, LOOSE, max(PROMOTED, b.bits))
        product = a._binary("*", b, values, PRODUCT)
        return product if b.value is None else replace(product, multiple=(a, b.value))

    def clipped(self, bounds: FixedRange) -> Number:
        """The nearest number within bounds, on a common grid."""
        exponent = min(self.range.exponent, bounds.exponent)
        x, bounds = self.at(exponent), bounds.at(exponent)
        if x.value is not None:
            return Number.literal(min(max(x.value, bounds.low), bounds.high), exponent)
        low, high = max(x.range.low, bounds.low), min(x.range.high, bounds.high)
        limits = {"clip": (low, high), "at_least": (low,), "at_most": (high,)}
        raised, lowered = low > x.range.low, high < x.range.high
        if not raised and not lowered:
            return x
        name = "clip" if raised and lowered else "at_least" if raised else "at_most"
        bits = max(PROMOTED, x.bits)
        text = f"{name}<int{bits}_t>({', '.join([x.text, *map(str, limits[name])])})"
        return Number(text, FixedRange(low, high, exponent), bits=bits)

    def rectified(self) -> Number:
        return self.clipped(self.range.rectified())

    def floored(self, shift: int) -> Number:
        """Rounded down to a grid that is coarser by 2^shift."""
        if shift <= 0:
            return self
        r = self.range
        if self.value is not None:
            return Number.literal(self.value >> shift, r.exponent + shift)
        values = FixedRange(r.low >> shift, r.high >> shift, r.exponent + shift)
        bits = max(PROMOTED, self.bits)
        # C++ has no shift by the width of a type, or more; by one bit less, only the sign is left
        return Number(f"({self.within(ATOM)} >> {min(shift, bits - 1)})", values, bits=bits)

    def rounded(self, shift: int) -> Number:
        """Rounded, half to even, to a grid that is coarser by 2^shift."""
        if shift <= 0:
            return self
        r, half = self.range, 1 << (shift - 1)
        values = FixedRange((r.low + half) >> shift, (r.high + half) >> shift, r.exponent + shift)
        if self.value is not None:
            return Number.literal((self.value + half - 1 + ((self.value >> shift) & 1)) >> shift, values.exponent)
        bits = max(PROMOTED, self.bits, width(FixedRange(r.low, r.high + half, r.exponent)))
        return Number(f"rounded<int{bits}_t, {shift}>({self.text})", values, bits=bits)

    def nonzero(self) -> Number:
        """1 unless it is 0."""
        if self.value is not None:
            return Number.literal(int(self.value != 0), 0)
        return Number(f"({self.within(SUM)} != 0)", FixedRange(0, 1, 0))

    def quantised(self, quantiser: Quantiser) -> Number:
        """After a `Quantiser`: saturated first, so that rounding cannot overflow, and then rounded.

        Both orders give the same, since rounding keeps the order of numbers and the bounds.
        """
        r, bounds = self.range, quantiser.range
        shift = quantiser.exponent - r.exponent
        if shift > 0:
            # beyond this shift every number rounds to 0 or, down, to -1
            shift = min(shift, r.bits + 2)
            inside = self.clipped(FixedRange(bounds.low << shift, bounds.high << shift, r.exponent))
            result = inside.rounded(shift) if quantiser.rounding is Rounding.ROUND else inside.floored(shift)
        else:
            # beyond this shift every number but 0 saturates; the first clip only keeps the second one's type narrow
            shift = min(-shift, quantiser.bits + 1)
            inside = self.clipped(FixedRange(bounds.low >> shift, -(-bounds.high >> shift), r.exponent))
            result = inside.at(r.exponent - shift).on_grid(bounds.exponent).clipped(bounds)
        return result.on_grid(quantiser.exponent)

"""A quantiser on one symbolic number, in as little logic as its bits allow.

Works on alkaid's variables, of which it uses: ``kif`` (sign, integer bits, fractional bits), ``quantize`` without
rounding or saturation (a choice of bits, which costs nothing), ``msb_mux`` (a multiplexer by the highest bit) and
bitwise operators. alkaid's own saturation compares with both bounds in full width, and its half-to-even rounding errs
where every value is a tie.
"""

from __future__ import annotations

from typing import Any

from nanopelican_hls.fixed_point import Quantiser, Rounding, grid_exponent

Variable = Any


def is_constant(x: Variable | float) -> bool:
    return isinstance(x, float) or bool(x.low == x.high)


def value_of(constant: Variable | float) -> float:
    return constant if isinstance(constant, float) else float(constant.low)


def quantised(x: Variable, quantiser: Quantiser, half_added: bool = False) -> Variable:
    """``x`` after a `Quantiser`: rounded to its grid, then saturated; a constant becomes a float.

    With ``half_added`` half a unit of the grid is in ``x`` already: it is another number plus that half.
    """
    if is_constant(x):
        return float(quantiser(value_of(x) - half_added * quantiser.scale / 2))
    return _saturated(*_rounded(x, quantiser, half_added), quantiser)


def adds_half(quantiser: Quantiser, exponent: int) -> bool:
    """Whether rounding numbers on the grid ``2**exponent`` begins with the addition of half a unit."""
    return quantiser.rounding is Rounding.ROUND and exponent < quantiser.exponent


def select_bits(x: Variable, signed: bool, integers: int, fraction: int) -> Variable:
    """The bits of ``x`` that a fixed-point type has; no rounding, no saturation.

    alkaid 0.8 takes the wrong bit of a number that stands for another one times a power of two
    (``canonicalize_msb_wraps`` forgets the factor); so the factor is taken out first.
    """
    factor = abs(x._factor)
    shift = grid_exponent(factor)
    return (x * (1 / factor)).quantize(int(signed), integers - shift, fraction + shift) * factor


def field(x: Variable, top: int, bottom: int) -> Variable:
    """The bits of weights ``2**bottom`` to ``2**(top-1)``, as an unsigned number."""
    return select_bits(x, False, top, -bottom)


def _floor(x: Variable, exponent: int) -> Variable:
    """Without the bits below the grid ``2**exponent``."""
    signed, integers, fraction = x.kif
    # where the grid is above the sign, the sign is all that is left: taken where it stands, since alkaid shifts by less
    # than 64 places, and then moved to the grid
    lowest = min(exponent, integers)
    return select_bits(x, signed, integers, min(fraction, -lowest)) * 2.0 ** (exponent - lowest)


def _rounded(x: Variable, quantiser: Quantiser, half_added: bool) -> tuple[Variable, Variable]:
    """The number on the grid; and one with the same bits above the last, which does not wait for that one."""
    exponent = quantiser.exponent
    if x.step >= quantiser.scale and not half_added:
        return x, x
    if quantiser.rounding is Rounding.FLOOR:
        return _floor(x, exponent), x
    shifted = x if half_added else x + quantiser.scale / 2
    if shifted.step >= quantiser.scale:
        return _floor(shifted, exponent + 1), shifted  # every value is a tie
    # half up is the floor of this; where nothing is left below the grid there was a tie, and even means: last bit 0
    inexact = field(shifted, exponent, -shifted.kif[2]).unary_bit_op("any") * quantiser.scale
    return _floor(shifted, exponent + 1) + (field(shifted, exponent + 1, exponent) & inexact), shifted


def _saturated(x: Variable, upper: Variable, quantiser: Quantiser) -> Variable:
    """The number within the quantiser's range, judged by the bits of another one, the same from the limits on."""
    low, high = quantiser.low * quantiser.scale, quantiser.high * quantiser.scale
    if x.high <= low or x.low >= high:
        return low if x.high <= low else high
    signed, integers, fraction = x.kif
    limit = quantiser.bits - quantiser.signed + quantiser.exponent  # the sign stands above this bit
    if integers <= limit and signed <= quantiser.signed:
        return x
    bottom = min(-fraction, quantiser.exponent)
    magnitude = field(x, limit, bottom)
    sign = field(upper, integers + 1, integers) * 2.0**-integers if signed else None
    if quantiser.signed and sign is not None:
        # in range when all bits from the limit on are copies of the sign; beyond it, all below are its opposite
        above = select_bits(upper, True, integers, -limit)
        beyond = above.unary_bit_op("any") & ~above.unary_bit_op("all")
        clipped = field(_repeated(~sign, quantiser), limit, bottom)
        return beyond.msb_mux(clipped, magnitude) | (-sign * 2.0**limit)
    if integers > limit:
        beyond = field(upper, integers, limit).unary_bit_op("any")
        magnitude = field(_repeated(beyond, quantiser) | magnitude, limit, bottom)
    return magnitude if sign is None else sign.msb_mux(0.0, magnitude)


def _repeated(bit: Variable, quantiser: Quantiser) -> Variable:
    """A bit in every place from the last of the grid upwards."""
    return -bit * quantiser.scale

"""Quantisers on single symbolic numbers, in as little logic as possible.

Of alkaid's variables only these are used: ``kif`` (sign, integer bits, fractional bits), ``quantize`` without rounding
or saturation (a free bit selection), ``msb_mux`` (a multiplexer controlled by the MSB) and bitwise operators. alkaid's
own saturation compares with both limits at full width, and its half-to-even rounding is wrong where every value is a
tie.
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
    """Apply a `Quantiser` to ``x``: round to its grid, then saturate; a constant becomes a float.

    With ``half_added``, ``x`` is the number to quantise plus half a unit of the grid.
    """
    if is_constant(x):
        return float(quantiser(value_of(x) - half_added * quantiser.scale / 2))
    return _saturated(*_rounded(x, quantiser, half_added), quantiser)


def adds_half(quantiser: Quantiser, exponent: int) -> bool:
    """Whether rounding numbers from the grid ``2**exponent`` requires the addition of half a unit."""
    return quantiser.rounding is Rounding.ROUND and exponent < quantiser.exponent


def select_bits(x: Variable, signed: bool, integers: int, fraction: int) -> Variable:
    """Truncate ``x`` to a fixed-point type by bit selection; no rounding, no saturation.

    alkaid 0.8 selects the wrong bit of a variable that is another one times a power of two
    (``canonicalize_msb_wraps`` ignores the factor), so the factor is taken out first.
    """
    factor = abs(x._factor)
    shift = grid_exponent(factor)
    return (x * (1 / factor)).quantize(int(signed), integers - shift, fraction + shift) * factor


def field(x: Variable, top: int, bottom: int) -> Variable:
    """The bits of weights ``2**bottom`` to ``2**(top-1)``, as an unsigned number."""
    return select_bits(x, False, top, -bottom)


def _floor(x: Variable, exponent: int) -> Variable:
    """Drop the bits below the grid ``2**exponent``."""
    signed, integers, fraction = x.kif
    # if the grid is above the sign bit, only the sign is left: select it in place, since alkaid shifts by less than 64
    # places, then move it to the grid
    lowest = min(exponent, integers)
    return select_bits(x, signed, integers, min(fraction, -lowest)) * 2.0 ** (exponent - lowest)


def _rounded(x: Variable, quantiser: Quantiser, half_added: bool) -> tuple[Variable, Variable]:
    """The rounded number, and one with the same bits above the last that is ready earlier."""
    exponent = quantiser.exponent
    if x.step >= quantiser.scale and not half_added:
        return x, x
    if quantiser.rounding is Rounding.FLOOR:
        return _floor(x, exponent), x
    shifted = x if half_added else x + quantiser.scale / 2
    if shifted.step >= quantiser.scale:
        return _floor(shifted, exponent + 1), shifted  # every value is a tie
    # its floor is round-half-up; if the bits below the grid are 0 it was a tie, and half-to-even clears the last bit
    inexact = field(shifted, exponent, -shifted.kif[2]).unary_bit_op("any") * quantiser.scale
    return _floor(shifted, exponent + 1) + (field(shifted, exponent + 1, exponent) & inexact), shifted


def _saturated(x: Variable, upper: Variable, quantiser: Quantiser) -> Variable:
    """Saturate ``x``; overflow is detected on ``upper``, which has the same bits from the limit upwards."""
    low, high = quantiser.low * quantiser.scale, quantiser.high * quantiser.scale
    if x.high <= low or x.low >= high:
        return low if x.high <= low else high
    signed, integers, fraction = x.kif
    limit = quantiser.bits - quantiser.signed + quantiser.exponent  # position of the sign bit
    if integers <= limit and signed <= quantiser.signed:
        return x
    bottom = min(-fraction, quantiser.exponent)
    magnitude = field(x, limit, bottom)
    sign = field(upper, integers + 1, integers) * 2.0**-integers if signed else None
    if quantiser.signed and sign is not None:
        # in range if all bits from the limit upwards equal the sign; otherwise all bits below become its complement
        above = select_bits(upper, True, integers, -limit)
        beyond = above.unary_bit_op("any") & ~above.unary_bit_op("all")
        clipped = field(_repeated(~sign, quantiser), limit, bottom)
        return beyond.msb_mux(clipped, magnitude) | (-sign * 2.0**limit)
    if integers > limit:
        beyond = field(upper, integers, limit).unary_bit_op("any")
        magnitude = field(_repeated(beyond, quantiser) | magnitude, limit, bottom)
    return magnitude if sign is None else sign.msb_mux(0.0, magnitude)


def _repeated(bit: Variable, quantiser: Quantiser) -> Variable:
    """Replicate a bit into all positions from the last bit of the grid upwards."""
    return -bit * quantiser.scale

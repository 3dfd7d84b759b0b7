"""Sums of expressions in the generated C++: their grid, and the type that holds them."""

from __future__ import annotations

import numpy as np

from nanopelican_hls.emulator.code import WRITTEN_OUT, Code, subscript
from nanopelican_hls.emulator.lanes import Lanes
from nanopelican_hls.emulator.number import Number
from nanopelican_hls.fixed_point import FixedRange

BYTE = FixedRange(-128, 127, 0)


def test_a_long_sum_has_the_finest_grid_of_its_terms():
    code, coarse = Code([], []), WRITTEN_OUT + 1
    x = Lanes.variable(code, "x", (1, coarse + 3), BYTE)

    def element(loop, index):
        number = x.element(loop, index)
        return number if index[1].high <= coarse else number.on_grid(-3)

    total = Lanes(code, "y", x.shape, element, frozenset({coarse})).sum(axis=1)
    added = [line for line in map(str.strip, code.lines) if "+=" in line]
    assert added == ["y_total[jet] += x[i][jet] * 8;", "y_total[jet] += x[i][jet];"]
    (loop, [(at, number)]) = total.elements()[0]
    low, high = 8 * coarse * -128 + 3 * -128, 8 * coarse * 127 + 3 * 127
    assert number == Number.variable(f"y_total{subscript(at)}[jet]", FixedRange(low, high, -3))
    assert loop.lines == []


def test_sums_by_a_matrix_have_room_for_all_terms():
    """Three numbers of 16 bits take 18."""
    code = Code([], [])
    x = Lanes.variable(code, "x", (1, 4), FixedRange(-(1 << 15), (1 << 15) - 1, 0))
    x @ np.array([[1, 0], [1, 1], [1, 1], [0, 1]])
    assert code.arrays == {"x_total": "int32_t x_total[2][LANES]; // -98304 ... 98301, in units of 2^0"}

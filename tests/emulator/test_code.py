"""Tables of the generated C++."""

from __future__ import annotations

import numpy as np

from nanopelican_hls.emulator.code import Code
from nanopelican_hls.fixed_point import FixedRange


def test_equal_tables_are_one_and_equal_numbers_in_another_shape_are_not():
    code, integers, values = Code([], []), np.arange(4, dtype=np.int64), FixedRange(0, 3, 0)
    row, again, square = (
        code.table(wanted, table, values)
        for wanted, table in (("row", integers), ("other", integers.copy()), ("square", integers.reshape(2, 2)))
    )
    assert row == again == "row"
    assert square == "square"

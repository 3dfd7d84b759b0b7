"""JetFromL1: light-cone components of the whole jet along its own axis, from its Level-1 words (docs/level1.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, as_index
from nanopelican_hls.operators.base import CustomOperator, Shape


@dataclass(frozen=True)
class JetFromL1(CustomOperator):
    """The jet's q+ = ``2 pt``, or with a mass its q- = ``m^2 / (2 pt)``: [B, 1] each -> [B, 1], in GeV.

    ``inverse`` is a table of 1 / (2 pt) in pt bins of ``bin_gev``. Along its own axis the jet has no other components.
    The product q+ q- is m^2, up to the binning of the table.
    """

    inputs = ("pt", "mass", "inverse")
    axes = ("B1", "B1", "T")
    optional = frozenset({"mass", "inverse"})
    together = (frozenset({"mass", "inverse"}),)
    parameters = frozenset({"inverse"})

    bin_gev: int = 8

    def compute(self, *inputs: Array | None) -> Array:
        pt, mass, inverse = inputs
        assert pt is not None
        if mass is None or inverse is None:
            return 2 * pt
        # pt is never negative, so dropping the fraction rounds down
        return mass * mass * inverse[as_index(pt / self.bin_gev)]

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        if self.bin_gev < 1 or self.bin_gev & (self.bin_gev - 1):
            raise ValueError(f"bin_gev = {self.bin_gev}, expected a power of two")
        return (sizes["B"], 1)

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        table = shapes[2]
        config = {"bin_exponent": self.bin_gev.bit_length() - 1, "n_entries": 1 if table is None else table[0]}
        return config if table is None else config | {"n_multiplications": 2}

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        pt, mass, _ = ranges
        assert pt is not None
        if pt.low < 0:
            raise ValueError("pt is signed, expected an unsigned tensor")
        table = shapes[2]
        if mass is None or table is None:
            return pt.times(2)
        last = (pt.high << max(pt.exponent, 0)) >> (max(-pt.exponent, 0) + self.bin_gev.bit_length() - 1)
        if last >= table[0]:
            raise ValueError(f"pt reaches bin {last}, but the table has {table[0]} entries")
        return mass * mass * FixedRange.of_values(values["inverse"])

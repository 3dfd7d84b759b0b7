"""The Minkowski product in the coordinates of the contract: the one place where the metric is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nanopelican_hls.fixed_point import FixedRange

#: names of the four components, by coordinates
COMPONENTS = {
    "cartesian": ("E", "px", "py", "pz"),
    "light_cone": ("q_plus", "q_minus", "q_y", "q_z"),
}
#: components that are never negative, by coordinates
UNSIGNED_COMPONENTS = {"cartesian": ("E",), "light_cone": ("q_plus", "q_minus")}


def dot(a: Sequence[Any], b: Sequence[Any], coordinates: str) -> Any:
    """``a . b`` (metric + - - -), elementwise over arrays, or as a range over `FixedRange`.

    cartesian:  E E' - px px' - py py' - pz pz'
    light_cone: (q+ q-' + q- q+') / 2 - y y' - z z'; without the last two terms where y and z are None, that is 0
    """
    if coordinates == "cartesian":
        return a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]
    if coordinates == "light_cone":
        crossed = a[0] * b[1] + a[1] * b[0]
        # halving is exact on both: a binary fraction for arrays, one more fractional bit for ranges
        halved = crossed.halved() if isinstance(crossed, FixedRange) else crossed / 2
        return halved if b[2] is None else halved - a[2] * b[2] - a[3] * b[3]
    raise ValueError(f"coordinates must be one of {sorted(COMPONENTS)}, not {coordinates!r}")

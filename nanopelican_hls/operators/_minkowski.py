"""The Minkowski product in both coordinate systems of the contract; the only place that defines the metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nanopelican_hls.fixed_point import FixedRange

#: names of the four components
COMPONENTS = {
    "cartesian": ("E", "px", "py", "pz"),
    "light_cone": ("q_plus", "q_minus", "q_y", "q_z"),
}
#: components that are never negative
UNSIGNED_COMPONENTS = {"cartesian": ("E",), "light_cone": ("q_plus", "q_minus")}


def dot(a: Sequence[Any], b: Sequence[Any], coordinates: str) -> Any:
    """``a . b`` (metric + - - -): elementwise for arrays, or the range of the result for `FixedRange`.

    cartesian:  E E' - px px' - py py' - pz pz'
    light_cone: (q+ q-' + q- q+') / 2 - y y' - z z'; the last two terms are dropped where y and z are None (zero)
    """
    if coordinates == "cartesian":
        return a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]
    if coordinates == "light_cone":
        crossed = a[0] * b[1] + a[1] * b[0]
        # halving is exact for both: in binary floating point, and in a range with one more fractional bit
        halved = crossed.halved() if isinstance(crossed, FixedRange) else crossed / 2
        return halved if b[2] is None else halved - a[2] * b[2] - a[3] * b[3]
    raise ValueError(f"coordinates must be one of {sorted(COMPONENTS)}, not {coordinates!r}")

"""The target of every synthesis flow: a part, a clock period and an initiation interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.flows.parts import Part


@dataclass(frozen=True)
class Device:
    """A part, with its clock period and initiation interval.

    Attributes
    ----------
    part : Part
        From `find_part`.
    clock_period_ns : float
        Requested clock period.
    interval : int
        Initiation interval in clock cycles.

    Raises
    ------
    SynthesisError
        If the clock period or the interval is out of range.
    """

    part: Part
    clock_period_ns: float
    interval: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.clock_period_ns < math.inf:
            raise SynthesisError(
                f"must be a positive number of ns, not {self.clock_period_ns:g}",
                where="clock",
                remedy="give the clock period, such as --clock 2.5",
            )
        if self.interval < 1:
            raise SynthesisError(
                f"must be at least 1, not {self.interval}",
                where="interval",
                remedy="use 1 for a new event in every cycle",
            )

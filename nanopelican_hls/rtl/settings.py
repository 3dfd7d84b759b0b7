"""Settings of the hardware: arithmetic, and levels of logic between registers."""

from __future__ import annotations

import logging
from dataclasses import dataclass

logger = logging.getLogger(__name__)

PRODUCTS = ("dsp", "fabric")
#: triple modular redundancy of nothing, of the pieces with parameters of the network, of all registers, of everything
TMR = ("none", "weights", "state", "all")
#: assumed delay of a level of logic, for pipelining: a LUT or a short adder, and its routing
LEVEL_NS = 0.7


@dataclass(frozen=True)
class Settings:
    """Settings of the hardware of a program.

    Attributes
    ----------
    levels_per_stage : maximum levels of logic between registers (alkaid's delay model: an adder counts 1.1 to 1.4).
    products : ``dsp``, chains of DSPs; or ``fabric``, multipliers in LUTs.
    winograd : two products of sums per pair instead of four products.
    most_dsps : maximum number of DSPs, with ``dsp``; the other products are in LUTs. None for no limit.
    interval : initiation interval in clock cycles: particles and pairs of an event share hardware.
    streamed : the constituents come in over the cycles of an interval, not all with ``start`` (`Arrival`).
    tmr : what stands in three copies with voters, against upsets: one of `TMR`.
    """

    levels_per_stage: float = 4.0
    products: str = "dsp"
    winograd: bool = True
    most_dsps: int | None = None
    interval: int = 1
    streamed: bool = False
    tmr: str = "none"


def open_settings(
    clock_period_ns: float,
    products: str = "dsp",
    winograd: bool | None = None,
    most_dsps: int | None = None,
    interval: int = 1,
    streamed: bool = False,
    tmr: str = "none",
) -> Settings:
    """Settings for a clock period, with as many levels as fit into it; Winograd's identity by default with DSPs.

    A period shorter than one level still gets one, with a warning: no hardware reaches it.

    Parameters
    ----------
    clock_period_ns : float
    products, winograd, most_dsps, interval, streamed, tmr
        As in `Settings`.
    """
    if clock_period_ns < LEVEL_NS:
        logger.warning(
            "a clock period of %g ns is shorter than a level of logic with its routing (%g ns): figures in ns are not "
            "reached",
            clock_period_ns,
            LEVEL_NS,
        )
    levels = max(1.0, clock_period_ns / LEVEL_NS)
    by_default = products == "dsp"
    two_products = by_default if winograd is None else winograd
    return Settings(levels, products, two_products, most_dsps, interval, streamed, tmr)

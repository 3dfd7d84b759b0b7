"""How a program becomes hardware: arithmetic, and how much logic there is between two registers."""

from __future__ import annotations

from dataclasses import dataclass

PRODUCTS = ("dsp", "fabric")
#: what a level of logic is taken for when stages are cut: a look-up table or a short adder, and a wire
LEVEL_NS = 0.7


@dataclass(frozen=True)
class Settings:
    """How a program becomes hardware.

    Attributes
    ----------
    levels_per_stage : levels of logic (alkaid's delay model: an adder is 1.1 to 1.4) between two registers.
    products : what multiplies: ``dsp``, chains of DSPs; or ``fabric``, look-up tables.
    winograd : two products a pair, of sums, in place of four.
    most_dsps : with ``dsp``, as many as there may be; look-up tables multiply the rest. None for no limit.
    """

    levels_per_stage: float = 4.0
    products: str = "dsp"
    winograd: bool = True
    most_dsps: int | None = None


def open_settings(
    clock_period_ns: float, products: str = "dsp", winograd: bool | None = None, most_dsps: int | None = None
) -> Settings:
    """Settings for a clock period: as many levels as it holds; Winograd's form by default where it pays, with DSPs.

    Parameters
    ----------
    clock_period_ns : float
    products, winograd, most_dsps
        As for `Settings`.
    """
    levels = max(1.0, clock_period_ns / LEVEL_NS)
    return Settings(levels, products, products == "dsp" if winograd is None else winograd, most_dsps)

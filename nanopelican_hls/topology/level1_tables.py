"""Tables in the QONNX file that convert Level-1 words to light-cone components (docs/level1.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.topology.level1_format import Level1Format

#: largest |d_eta| and |d_phi| from the jet axis, in codes (0.83 at pi/720); larger ones saturate
ANGLE_LIMIT = 191
#: width of the pt bins of the 1 / (2 pt) table
JET_BIN_GEV = 8
#: grid of the 1 / (2 pt) table; it saturates below 128 GeV
INVERSE = Quantiser(12, signed=False, exponent=-20)

Function = Callable[[NDArray[Any]], NDArray[Any]]

#: for each component, the fractional bits of its tables, and the functions of |d_eta| and |d_phi| that it sums; there
#: are enough bits that the component's quantiser dominates the error (q- is a small difference, with the finest grid)
_FUNCTIONS: dict[str, tuple[int, dict[str, Function]]] = {
    "q_plus": (8, {"eta": np.cosh, "phi": np.cos}),
    "q_minus": (12, {"eta": lambda x: np.cosh(x) - 1, "phi": lambda x: 1 - np.cos(x)}),
    "q_y": (9, {"phi": np.sin}),
    "q_z": (9, {"eta": np.sinh}),
}


def angle_tables(component: str, level1: Level1Format) -> dict[str, NDArray[np.float64]]:
    """The tables of a component over codes 0 ... `ANGLE_LIMIT`, rounded to their grid, by angle: ``eta``, ``phi``."""
    fractional_bits, functions = _FUNCTIONS[component]
    angles = np.arange(ANGLE_LIMIT + 1, dtype=np.float64) * level1.angle_lsb
    return {angle: _rounded(function(angles), fractional_bits) for angle, function in functions.items()}


def inverse_table(level1: Level1Format) -> NDArray[np.float64]:
    """1 / (2 pt) at the centre of each bin of `JET_BIN_GEV`, in 1 / GeV."""
    bins = int(np.ldexp(level1.pt.high + 1, level1.pt_exponent)) // JET_BIN_GEV
    return INVERSE(0.5 / (JET_BIN_GEV * (np.arange(bins) + 0.5)))


def _rounded(values: NDArray[Any], fractional_bits: int) -> NDArray[np.float64]:
    """Round to the nearest multiple of ``2**-fractional_bits``."""
    rounded: NDArray[np.float64] = np.ldexp(np.rint(np.ldexp(values, fractional_bits)), -fractional_bits)
    return rounded

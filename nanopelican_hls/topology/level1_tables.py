"""The tables that turn Level-1 words into light-cone components (docs/level1.md), as they stand in the QONNX file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.topology.level1_format import Level1Format

#: codes of eta and phi to either side of the jet axis, beyond which a constituent counts as being there: 0.83 at pi/720
ANGLE_LIMIT = 191
#: bins of the table of 1 / (2 pt)
JET_BIN_GEV = 8
#: its grid: 1 / (2 pt) of jets above 128 GeV; what is below saturates
INVERSE = Quantiser(12, signed=False, exponent=-20)

Function = Callable[[NDArray[Any]], NDArray[Any]]

#: of each component, the functions of |d_eta| and |d_phi| that make it up, and the fractional bits of their tables: as
#: many as leave the component's quantiser the larger error (q- is a small difference, and has the finest grid)
_FUNCTIONS: dict[str, tuple[int, dict[str, Function]]] = {
    "q_plus": (8, {"eta": np.cosh, "phi": np.cos}),
    "q_minus": (12, {"eta": lambda x: np.cosh(x) - 1, "phi": lambda x: 1 - np.cos(x)}),
    "q_y": (9, {"phi": np.sin}),
    "q_z": (9, {"eta": np.sinh}),
}


def angle_tables(component: str, level1: Level1Format) -> dict[str, NDArray[np.float64]]:
    """The tables of a component over codes 0 ... `ANGLE_LIMIT`, by angle, ``eta`` or ``phi``, rounded to their grid."""
    fractional_bits, functions = _FUNCTIONS[component]
    angles = np.arange(ANGLE_LIMIT + 1, dtype=np.float64) * level1.angle_lsb
    return {angle: _rounded(function(angles), fractional_bits) for angle, function in functions.items()}


def inverse_table(level1: Level1Format) -> NDArray[np.float64]:
    """1 / (2 pt) at the middle of each bin of `JET_BIN_GEV`, in 1 / GeV."""
    bins = int(np.ldexp(level1.pt.high + 1, level1.pt_exponent)) // JET_BIN_GEV
    return INVERSE(0.5 / (JET_BIN_GEV * (np.arange(bins) + 0.5)))


def _rounded(values: NDArray[Any], fractional_bits: int) -> NDArray[np.float64]:
    """To the nearest multiple of ``2**-fractional_bits``."""
    rounded: NDArray[np.float64] = np.ldexp(np.rint(np.ldexp(values, fractional_bits)), -fractional_bits)
    return rounded

"""What this package knows of alkaid, its name for it, and what it corrects in it; no other module imports alkaid.

The corrections hold only while something is traced: `patched`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from importlib import metadata
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import RtlError
from nanopelican_hls.fixed_point import grid_exponent

#: versions of alkaid: from the first on, and before the second
VERSIONS = (0, 8, 2), (0, 9)


def check_version() -> None:
    """Check that alkaid has a version whose insides are known.

    Raises
    ------
    RtlError
        If it has another one.
    """
    version = metadata.version("alkaid")
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if not VERSIONS[0] <= numbers < VERSIONS[1]:
        first, end = (".".join(map(str, each)) for each in VERSIONS)
        raise RtlError(
            f"is not supported: functions inside alkaid are corrected, which are known from {first} on, before {end}",
            where=f"alkaid {version}",
            remedy=f"pip install 'alkaid>={first},<{end}'",
        )


check_version()  # before anything is imported from it, which in another version may stand elsewhere

# ruff: noqa: E402
import alkaid
from alkaid.codegen.rtl import RTLModel
from alkaid.converter.plugin import ALIRTracerPluginBase
from alkaid.trace import FVariable, FVArray, FVArrayInput, HWConfig, affine_interval, fixed_variable, trace, tracer
from alkaid.trace import fixed_variable_array as variable_array
from alkaid.trace.passes import add_surrogate, canon, dead_code_elimin, fuse_ternary_adders
from alkaid.types import CombLogic, Op, QInterval

__all__ = [
    "CONSTANT_BITS",
    "ENTRY_BITS",
    "HWCONF",
    "PRIMITIVES",
    "ALIRTracerPluginBase",
    "CombLogic",
    "FVArray",
    "FVArrayInput",
    "FVariable",
    "Opcode",
    "QInterval",
    "RTLModel",
    "as_piece",
    "optimised",
    "patched",
    "table_entries",
]

#: adders of any width, carry chains of 8 bits (UltraScale+ CARRY8), no limit on latency while tracing; alkaid sorts
#: wide multiplications wrongly when the size of the carry chain is not positive
HWCONF = HWConfig(1, 8, -1)
#: widest constant, without its sign, that alkaid adds to a number; widest entry of its tables, which are float32 to it
CONSTANT_BITS, ENTRY_BITS = 31, 24
#: Verilog modules that operations instantiate
PRIMITIVES = Path(alkaid.__file__).parent / "codegen" / "rtl" / "verilog" / "source"


class Opcode(IntEnum):
    """alkaid's operations (its docs/alir.md)."""

    NEGATION = -2
    INPUT = -1
    SUM = 0
    DIFFERENCE = 1
    RELU = 2
    BITS = 3
    CONSTANT_SUM = 4
    CONSTANT = 5
    CHOICE = 6
    PRODUCT = 7
    TABLE = 8
    UNARY = 9
    BINARY = 10
    TERNARY = 11


def last_bit(constant: float) -> int:
    """Exponent of the last bit of a constant; of 0, that of no other."""
    return grid_exponent(float(constant)) if constant else 127


def last_bit_of_operand(constant: float) -> int:
    """The same of a constant that is to be added, which alkaid would cut to 32 bits.

    Raises
    ------
    RtlError
        If it is wider.
    """
    bottom = last_bit(constant)
    bits = int(abs(constant) * 2.0**-bottom).bit_length()
    if bits > CONSTANT_BITS:
        raise RtlError(
            f"is a constant of {bits} bits, more than the {CONSTANT_BITS} that can be added to a number",
            where=f"{constant:.17g}",
            remedy="narrow the quantisers of biases, or bring their grids and those of sums together",
        )
    return bottom


#: alkaid looks for the last bit in float32, and so forgets those of a constant of more than 24 bits
CORRECTIONS = {
    affine_interval: last_bit,
    canon: last_bit,
    fixed_variable: last_bit_of_operand,
    tracer: last_bit,
    variable_array: last_bit,
}
_originals = {module: module.get_lsb_loc for module in CORRECTIONS}
_depth, _lock = 0, threading.Lock()


@contextmanager
def patched() -> Iterator[None]:
    """Correct alkaid for as long as the context lasts, or a function that this decorates; contexts may nest.

    Whatever makes, changes or reads alkaid's variables belongs inside.
    """
    _enter(1)
    try:
        yield
    finally:
        _enter(-1)


def _enter(step: int) -> None:
    """Contexts are counted, so that one which ends does not undo the corrections of another, be it in a thread."""
    global _depth
    with _lock:
        _depth += step
        for module, function in (CORRECTIONS if _depth else _originals).items():
            module.get_lsb_loc = function


def optimised(inputs: Any, outputs: Any) -> CombLogic:
    """The program between variables, without what no output needs; all inputs stay."""
    logic = trace(inputs, outputs, keep_dead_inputs=True)
    # alkaid's optimiser forgets these two
    return add_surrogate(logic._replace(carry_size=HWCONF.carry_size, adder_size=HWCONF.adder_size))


def as_piece(logic: CombLogic) -> CombLogic:
    """The same program, with additions of three numbers."""
    fused = dead_code_elimin(fuse_ternary_adders(logic), keep_dead_inputs=True)
    return add_surrogate(fused, _skip_op8_cost=True)


def table_entries(logic: CombLogic, op: Op) -> Sequence[int | None]:
    """What a table gives for each pattern of bits of its index, as an integer; None where that never comes."""
    entries = logic.lookup_tables[op.data[0]].padded_table(logic.ops[op.addr[0]].qint)
    return [None if entry != entry else int(entry) for entry in entries]

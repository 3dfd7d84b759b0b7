"""Adapter to alkaid: what this package uses of it, and fixes for its bugs; no other module imports alkaid.

The fixes are applied only while something is traced: `patched`.
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
from nanopelican_hls.extras import install, require
from nanopelican_hls.fixed_point import grid_exponent

#: supported versions of alkaid: from the first (inclusive) to the second (exclusive)
VERSIONS = (0, 8, 2), (0, 9)


def check_version() -> None:
    """Check that the installed version of alkaid is one whose internals are known.

    Raises
    ------
    RtlError
        If it is not, or there is none.
    """
    require("alkaid", "generation of Verilog", RtlError)
    version = metadata.version("alkaid")
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if not VERSIONS[0] <= numbers < VERSIONS[1]:
        first, end = (".".join(map(str, each)) for each in VERSIONS)
        raise RtlError(
            f"is not supported: internals of alkaid are patched, and are known only for >={first},<{end}",
            where=f"alkaid {version}",
            remedy=install("alkaid"),
        )


check_version()  # before importing names that other versions may have moved

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
    "keras_logic",
    "optimised",
    "patched",
    "table_entries",
]

#: adders of any width, carry chains of 8 bits (UltraScale+ CARRY8), no latency limit while tracing; alkaid sorts wide
#: multiplications wrongly if the carry chain size is not positive
HWCONF = HWConfig(1, 8, -1)
#: of each element of an array: signed, integer bits without the sign, fractional bits
Precision = tuple[Any, Any, Any]
#: widest constant, without sign, that alkaid can add; widest entry of its tables, which it holds in float32
CONSTANT_BITS, ENTRY_BITS = 31, 24
#: Verilog modules that the operations instantiate
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
    """Exponent of the least significant bit of a constant; 127 for 0, which has none."""
    return grid_exponent(float(constant)) if constant else 127


def last_bit_of_operand(constant: float) -> int:
    """`last_bit` of a constant that is to be added, which alkaid would truncate to 32 bits.

    Raises
    ------
    RtlError
        If the constant is too wide.
    """
    bottom = last_bit(constant)
    bits = int(abs(constant) * 2.0**-bottom).bit_length()
    if bits > CONSTANT_BITS:
        raise RtlError(
            f"is a constant of {bits} bits, more than the {CONSTANT_BITS} that alkaid can add",
            where=f"{constant:.17g}",
            remedy="narrow the bias quantisers, or move their grids closer to those of the sums",
        )
    return bottom


#: alkaid finds the last bit in float32, and so truncates constants of more than 24 bits
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
    """Context manager or decorator that applies the fixes to alkaid; contexts may nest.

    All code that creates, changes or reads alkaid's variables must run inside.
    """
    _enter(1)
    try:
        yield
    finally:
        _enter(-1)


def _enter(step: int) -> None:
    """Count the open contexts: one that ends must not undo the fixes of another, possibly in another thread."""
    global _depth
    with _lock:
        _depth += step
        for module, function in (CORRECTIONS if _depth else _originals).items():
            module.get_lsb_loc = function


def optimised(inputs: Any, outputs: Any) -> CombLogic:
    """The logic between variables, without dead code; all inputs are kept."""
    logic = trace(inputs, outputs, keep_dead_inputs=True)
    # alkaid's optimiser drops these two settings
    return add_surrogate(logic._replace(carry_size=HWCONF.carry_size, adder_size=HWCONF.adder_size))


@patched()
def keras_logic(model: Any, inputs: Sequence[Precision]) -> CombLogic:
    """The logic of a Keras model with quantised layers (HGQ2).

    Parameters
    ----------
    model : keras.Model
    inputs : sequence of tuple
        Of each input: whether its elements [1, ...] are signed, and their bits before and after the binary point.
    """
    from alkaid.converter import trace_model

    variables = tuple(FVArray.from_kif(*bits, HWCONF) for bits in inputs)
    return optimised(*trace_model(model, HWCONF, inputs=variables))


def as_piece(logic: CombLogic) -> CombLogic:
    """The same logic, with additions fused into ternary adders."""
    fused = dead_code_elimin(fuse_ternary_adders(logic), keep_dead_inputs=True)
    return add_surrogate(fused, _skip_op8_cost=True)


def table_entries(logic: CombLogic, op: Op) -> Sequence[int | None]:
    """Entries of a table as integers, by bit pattern of the index; None for patterns that cannot occur."""
    entries = logic.lookup_tables[op.data[0]].padded_table(logic.ops[op.addr[0]].qint)
    return [None if entry != entry else int(entry) for entry in entries]

"""Header and source of an emulator."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

from nanopelican_hls.contract.port import Port
from nanopelican_hls.contract.program import Program
from nanopelican_hls.emulator.block import tensor_names, write_block
from nanopelican_hls.emulator.code import INDENT, described
from nanopelican_hls.emulator.names import identifier
from nanopelican_hls.emulator.number import cpp_type
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.versions import __version__

#: jets of a block: two vectors of 16 integers of 32 bits
LANES = 32


@dataclass(frozen=True)
class Sources:
    """The texts of a header and a source file."""

    header: str
    source: str


def sources(program: Program, name: str = "emulator", lanes: int = LANES) -> Sources:
    """Write the C++ of an emulator.

    Parameters
    ----------
    program : Program
    name : str
        Of the namespace, and of the header without its extension.
    lanes : int
        Jets of a block.

    Raises
    ------
    FirmwareError
        If the name is no C++ identifier, or an intermediate value needs more bits than a C++ integer has.
    """
    if identifier(name) != name:
        raise FirmwareError(
            "is no C++ identifier, or a reserved word",
            where=f"name {name!r}",
            remedy="use letters, digits and '_', a letter first",
        )
    names = tensor_names(program)
    return Sources(_header(program, name, names), _source(program, name, names, lanes))


def _header(program: Program, name: str, names: Mapping[str, str]) -> str:
    outputs = [_pointer(program, names, port.tensor) for port in program.outputs]
    return _rendered(
        "template.h",
        version=__version__,
        name=name,
        guard=f"{name.upper()}_H",
        inputs=_indented(_pointer(program, names, port.tensor, "const ") for port in program.inputs),
        real_inputs=_indented(
            f"const double *{names[port.tensor]}; // [jets]{_sizes(port.shape)}, rounded {_rounding(port)}"
            for port in program.inputs
        ),
        outputs=_indented(outputs),
        tensors=_indented(_pointer(program, names, tensor, default=" = nullptr") for tensor in program.ranges),
    )


def _source(program: Program, name: str, names: Mapping[str, str], lanes: int) -> str:
    code = write_block(program, names)
    load, load_real = [], []
    for port in program.inputs:
        tensor, n, r = names[port.tensor], port.elements, program.ranges[port.tensor]
        rows = f"inputs.{tensor} + first * {n}, jets, {_lanes('block', tensor, port.shape)}"
        bounds = f"{r.low}, {r.high}"
        down = "true" if port.rounding is Rounding.FLOOR else "false"
        load.append(f"load_integers<{n}>({rows}, {bounds});")
        load_real.append(f"load_real<{n}, {down}>({rows}, 0x1p{-port.exponent:+d}, {bounds});")
    save_all = [
        _save(program, names, tensor, "tensors", "block" if names[tensor] in code.arrays else "passing")
        for tensor in program.ranges
    ]
    return _rendered(
        "template.cpp",
        name=name,
        lanes=str(lanes),
        tables="\n".join(code.tables),
        passing=_indented(code.passing.values()),
        arrays=_indented(code.arrays.values()),
        body=_indented(code.lines),
        load=_indented(load),
        load_real=_indented(load_real),
        save=_indented(_save(program, names, port.tensor, "outputs", "block") for port in program.outputs),
        save_all=_indented(save_all),
    )


def _pointer(program: Program, names: Mapping[str, str], tensor: str, qualifier: str = "", default: str = "") -> str:
    """The declaration of the rows of a tensor."""
    values = program.ranges[tensor]
    kind = f"{qualifier}std::{cpp_type(values)}"
    return f"{kind} *{names[tensor]}{default}; // [jets]{_sizes(program.shapes[tensor])}, {described(values)}"


def _save(program: Program, names: Mapping[str, str], tensor: str, target: str, place: str) -> str:
    shape, name = program.shapes[tensor], names[tensor]
    n = math.prod(shape)
    rows = f"{target}.{name} ? {target}.{name} + first * {n} : nullptr"
    return f"save<{n}>({_lanes(place, name, shape)}, jets, {rows});"


def _lanes(place: str, name: str, shape: tuple[int, ...]) -> str:
    """The first row [LANES] of an array."""
    return f"{place}.{name}{'[0]' * (len(shape) - 1)}"


def _sizes(shape: Iterable[int]) -> str:
    return "".join(f"[{length}]" for length in shape)


def _rounding(port: Port) -> str:
    return "down" if port.rounding is Rounding.FLOOR else "to the nearest, halves to even"


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(INDENT + line for line in lines)


def _rendered(template: str, **values: str) -> str:
    text = (resources.files("nanopelican_hls") / "emulator" / template).read_text(encoding="utf-8")
    return re.sub(r"\n{3,}", "\n\n", string.Template(text).substitute(values))

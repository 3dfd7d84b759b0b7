"""A folder of RTL for a program: sources, and a manifest that says what its ports are (docs/rtl.md)."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import RtlError
from nanopelican_hls.rtl.architecture import build
from nanopelican_hls.rtl.netlist import Netlist, Word
from nanopelican_hls.rtl.piece import PRIMITIVES
from nanopelican_hls.rtl.settings import PRODUCTS, Settings
from nanopelican_hls.rtl.symbolic import Shape
from nanopelican_hls.rtl.tracer import trace

MANIFEST = "rtl.json"
SOURCES = "src"
#: Verilog written by hand
TEMPLATES = Path(__file__).parents[1] / "firmware_templates"
DEFAULTS = Settings()
LANGUAGES = {"verilog": ".v", "vhdl": ".vhd"}


@dataclass(frozen=True)
class RtlPort:
    """A port of the top module: elements side by side, the first in the lowest bits.

    Attributes
    ----------
    name : of the tensor in the QONNX file.
    shape : of the tensor, batch axis excluded.
    bits, signed, exponent : an element is an integer of this type, times ``2**exponent``.
    """

    name: str
    shape: Shape
    bits: int
    signed: bool
    exponent: int

    @property
    def elements(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def width(self) -> int:
        return self.elements * self.bits


@dataclass(frozen=True)
class RtlProject:
    """RTL on disk.

    Attributes
    ----------
    path : the folder.
    top : name of the top module.
    language : ``verilog`` or ``vhdl``.
    inputs : in the order of the QONNX file's ports.
    output : the logit.
    latency_cycles : clock edges from the one that takes an event in to the one that gives its logit.
    products : as for `Settings`.
    """

    path: Path
    top: str
    language: str
    inputs: tuple[RtlPort, ...]
    output: RtlPort
    latency_cycles: int
    products: str = "dsp"

    @property
    def sources(self) -> list[Path]:
        return sorted((self.path / SOURCES).glob(f"*{LANGUAGES[self.language]}"))


def generate_rtl(
    program: Program,
    path: str | Path,
    *,
    top: str = "nanopelican",
    language: str = "verilog",
    settings: Settings = DEFAULTS,
) -> RtlProject:
    """Write the RTL of a program; a jet goes in, and a logit comes out, every clock cycle.

    Parameters
    ----------
    program : Program
    path : path
        The folder; an older RTL project there is replaced, once the new one is complete.
    top : str
        Name of the top module, and first part of the names of the others.
    language : str
        ``verilog``; or ``vhdl``: the whole network as one pipeline, ``<top>_pipeline``, with all inputs in one port.
    settings : Settings
        Arithmetic and stages.

    Raises
    ------
    RtlError
        If an argument is outside its range, the folder holds something else, or the logit is a constant.
    """
    path = Path(path)
    _check(path, top, language, settings)
    inputs = tuple(RtlPort(port.tensor, port.shape, port.bits, port.signed, port.exponent) for port in program.inputs)
    output = _output(program)
    if language == "vhdl":
        files, latency = trace(program).circuit().vhdl(f"{top}_pipeline", settings.levels_per_stage)
    else:
        netlist, tensors = build(program, top, settings)
        (logit,) = tensors[output.name].ravel()
        if not isinstance(logit, Word):
            raise RtlError("gives the same logit for every jet", where=f"network for {path}", remedy="train it again")
        files, latency = _verilog(top, inputs, output, netlist, logit), logit.time.cycle + 1
    project = RtlProject(path, top, language, inputs, output, latency, settings.products)
    _write(project, files)
    return project


def read_rtl(path: str | Path) -> RtlProject:
    """Read a project that `generate_rtl` wrote.

    Raises
    ------
    RtlError
        If there is none.
    """
    path = Path(path)
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        ports = [
            RtlPort(**port | {"shape": tuple(port["shape"])}) for port in (*manifest["inputs"], manifest["output"])
        ]
        return RtlProject(**manifest | {"path": path, "inputs": tuple(ports[:-1]), "output": ports[-1]})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RtlError(
            f"is no RTL project ({error})", where=str(path), remedy="generate it again, with generate_rtl"
        ) from error


def _check(path: Path, top: str, language: str, settings: Settings) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", top):
        raise RtlError("is no name of a module", where=f"top = {top!r}", remedy="use letters, digits and '_'")
    if language not in LANGUAGES:
        raise RtlError("is not known", where=f"language = {language!r}", remedy=f"use {' or '.join(LANGUAGES)}")
    if not settings.levels_per_stage >= 1:
        raise RtlError("is too little", where=f"{settings.levels_per_stage} levels a stage", remedy="use 1 or more")
    if settings.products not in PRODUCTS:
        raise RtlError("is not known", where=f"products = {settings.products!r}", remedy=f"use {' or '.join(PRODUCTS)}")
    if path.exists() and not (path / MANIFEST).is_file() and not (path.is_dir() and not any(path.iterdir())):
        raise RtlError("exists, and is no RTL project", where=str(path), remedy="choose another folder")


def _output(program: Program) -> RtlPort:
    port = program.outputs[0]
    return RtlPort(port.tensor, port.shape, port.bits, port.signed, port.exponent)


def _verilog(top: str, inputs: tuple[RtlPort, ...], output: RtlPort, netlist: Netlist, logit: Word) -> dict[str, str]:
    """The top module, the pieces, and what these are made of."""
    files = {f"{module}.v": _strict(piece.verilog(module)) for module, piece in netlist.pieces.items()}
    tables = {name: text for piece in netlist.pieces.values() for name, text in piece.tables.items()}
    files |= {f"{name}.v": text for name, text in tables.items()}
    files |= {path.name: path.read_text(encoding="utf-8") for path in PRIMITIVES.glob("*.v")}
    files |= {path.name: path.read_text(encoding="utf-8") for path in TEMPLATES.glob("nanopelican_*.v")}
    files[f"{top}.v"] = _strict(_top_module(top, inputs, output, netlist, logit))
    return files


def _strict(module: str) -> str:
    """A misspelt net is an error, not a wire of one bit. What follows may be alkaid's, which needs the default."""
    return f"`default_nettype none\n{module}`default_nettype wire\n"


def _top_module(top: str, inputs: tuple[RtlPort, ...], output: RtlPort, netlist: Netlist, logit: Word) -> str:
    """Ports by name, registered, around the instances; the logit may have fewer bits than its port."""
    lines = [
        f"wire [{port.width - 1}:0] {port.name}_in;\n    "
        f"nanopelican_delay #(.WIDTH({port.width})) u_{port.name}_in (.clk(clk), .x({port.name}), .y({port.name}_in));"
        for port in inputs
    ]
    lines += netlist.body()
    lines += [
        f"assign {port.name}_{k} = {port.name}_in[{(k + 1) * port.bits - 1}:{k * port.bits}];"
        for port in inputs
        for k in range(port.elements)
    ]
    number = logit.number
    below = number.exponent - output.exponent
    above = output.bits - number.bits - below
    sign = f"{logit.net}[{number.bits - 1}]" if number.signed else "1'b0"
    parts = [f"{{{above}{{{sign}}}}}"] * (above > 0) + [logit.net] + [f"{below}'b0"] * (below > 0)
    lines.append(
        f"nanopelican_delay #(.WIDTH({output.width})) u_{output.name} "
        f"(.clk(clk), .x({{{', '.join(parts)}}}), .y({output.name}));"
    )
    comments = [
        f"// {port.name}: {port.elements} x {port.bits} bits, {'signed' if port.signed else 'unsigned'}, "
        f"in units of 2^{port.exponent}"
        for port in (*inputs, output)
    ]
    head = [
        *comments,
        f"// latency {logit.time.cycle + 1} cycles, a new event every cycle",
        f"module {top} (",
        "    input wire clk,",
        *(f"    input wire [{port.width - 1}:0] {port.name}," for port in inputs),
        f"    output wire [{output.width - 1}:0] {output.name}",
        ");",
    ]
    return "\n".join([*head, *(f"    {line}" for line in lines), "endmodule", ""])


def _write(project: RtlProject, files: dict[str, str]) -> None:
    """Write beside the folder, then put in its place: a later run never sees half of it."""
    temporary = project.path.with_name(f".{project.path.name}.{os.getpid()}")
    try:
        (temporary / SOURCES).mkdir(parents=True)
        for name, text in files.items():
            (temporary / SOURCES / name).write_text(text, encoding="utf-8")
        manifest: dict[str, Any] = dataclasses.asdict(project)
        del manifest["path"]
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(project.path, ignore_errors=True)
        temporary.rename(project.path)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise RtlError(
            f"cannot be written ({error.strerror})",
            where=str(project.path),
            remedy="free some space",
        ) from error

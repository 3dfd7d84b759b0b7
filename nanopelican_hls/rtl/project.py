"""RTL project of a program: a folder with sources and a manifest that describes its ports (docs/rtl.md)."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nanopelican_hls.contract.port import Port
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import RtlError
from nanopelican_hls.files import folder_written_whole, project_folder, write_texts
from nanopelican_hls.fixed_point import FixedRange, Rounding
from nanopelican_hls.rtl.alkaid_adapter import PRIMITIVES
from nanopelican_hls.rtl.arrival import Arrival
from nanopelican_hls.rtl.hardware import Hardware, build
from nanopelican_hls.rtl.masking import Padding
from nanopelican_hls.rtl.netlist import HAND_WRITTEN, Word
from nanopelican_hls.rtl.settings import PRODUCTS, TMR, Settings
from nanopelican_hls.rtl.supported import RESERVED, check_supported
from nanopelican_hls.rtl.top_module import TopModule, strict
from nanopelican_hls.rtl.tracer import trace
from nanopelican_hls.rtl.triplication import templates

MANIFEST = "rtl.json"
SOURCES = "src"
#: hand-written Verilog
TEMPLATES = Path(__file__).parents[1] / "firmware_templates"
LANGUAGES = {"verilog": ".v", "vhdl": ".vhd"}


@dataclass(frozen=True)
class Probe:
    """A debug output of the top module that shows an internal tensor.

    Attributes
    ----------
    port : ``probe_<tensor>``, wide enough for the values of padded particles too.
    cycles : for each element, clock edges from the one that samples an event to the one after which it is valid.
    padding : what padded particles have instead of the contract's value; None if they have that.
    """

    port: Port
    cycles: tuple[int, ...]
    padding: Padding | None = None


@dataclass(frozen=True)
class RtlProject:
    """An RTL project on disk.

    Attributes
    ----------
    path : the folder.
    top : name of the top module.
    language : ``verilog`` or ``vhdl``.
    inputs, outputs : in the order of the QONNX file; a port of the top module has the name of its tensor. Elements are
        concatenated, the first in the lowest bits.
    latency_cycles : clock edges from the one that samples an event to the one that outputs its results.
    interval : least number of clock cycles from one event to the next.
    beats : clock cycles in which the constituents of an event come (`Arrival`).
    control : whether the top module has rst, start, valid and early (`TopModule`).
    products, tmr : as for `Settings`.
    parts : name in reports of each module that the top module instantiates.
    probes : debug outputs.
    """

    path: Path
    top: str
    language: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    latency_cycles: int
    interval: int = 1
    beats: int = 1
    control: bool = False
    products: str = "dsp"
    tmr: str = "none"
    parts: Mapping[str, str] = field(default_factory=dict)
    probes: tuple[Probe, ...] = ()

    @property
    def arrival(self) -> Arrival:
        """When the elements of the inputs come."""
        return Arrival(max(port.elements for port in self.inputs), self.beats)

    @property
    def sources(self) -> list[Path]:
        return sorted((self.path / SOURCES).glob(f"*{LANGUAGES[self.language]}"))


@dataclass(frozen=True)
class RtlTarget:
    """RTL that takes a new jet every clock cycle, or as often as `Settings.interval` says.

    Attributes
    ----------
    top : name of the top module, and prefix of the others.
    language : ``verilog``; or ``vhdl``: the network as a single pipeline, ``<top>_pipeline``, with all inputs in one
        port.
    settings : arithmetic and pipelining.
    probes : add a debug output for each tensor that exists as nets (Verilog only).

    Raises
    ------
    RtlError
        If an option is outside its range.
    """

    top: str = "nanopelican"
    language: str = "verilog"
    settings: Settings = field(default_factory=Settings)
    probes: bool = False

    def __post_init__(self) -> None:
        settings = self.settings
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", self.top) or self.top.lower() in RESERVED:
            raise RtlError(
                "is not a valid module name", where=f"top = {self.top!r}", remedy="use letters, digits and '_'"
            )
        if self.language not in LANGUAGES:
            raise RtlError("is unknown", where=f"language = {self.language!r}", remedy=f"use {' or '.join(LANGUAGES)}")
        if not settings.levels_per_stage >= 1:
            raise RtlError(
                "is too small", where=f"levels_per_stage = {settings.levels_per_stage}", remedy="use 1 or more"
            )
        if settings.products not in PRODUCTS:
            raise RtlError(
                "is unknown", where=f"products = {settings.products!r}", remedy=f"use {' or '.join(PRODUCTS)}"
            )
        if settings.tmr not in TMR:
            raise RtlError("is unknown", where=f"tmr = {settings.tmr!r}", remedy=f"use {' or '.join(TMR)}")
        if (settings.interval > 1 or settings.streamed) and self.language != "verilog":
            raise RtlError(
                "has an interval of 1 only, with all constituents at once",
                where=f"language = {self.language!r}",
                remedy="generate Verilog",
            )
        if settings.tmr != "none" and self.language != "verilog":
            raise RtlError("has no triplicated form", where=f"language = {self.language!r}", remedy="generate Verilog")
        if self.probes and self.language != "verilog":
            raise RtlError("does not support probes", where=f"language = {self.language!r}", remedy="generate Verilog")

    def write(self, program: Program, folder: Path) -> RtlProject:
        """Write the project; see `contract.target.Target`."""
        path = project_folder(Path(folder), RtlError)
        check_supported(program)
        if path.exists() and not (path / MANIFEST).is_file() and not (path.is_dir() and not any(path.iterdir())):
            raise RtlError("exists and is not an RTL project", where=str(path), remedy="choose another folder")
        project, files = (self._vhdl if self.language == "vhdl" else self._verilog)(program, path)
        _write(project, files)
        return project

    def _vhdl(self, program: Program, path: Path) -> tuple[RtlProject, Mapping[str, str]]:
        circuit = trace(program).circuit()
        files, latency = circuit.vhdl(f"{self.top}_pipeline", self.settings.levels_per_stage)
        return self._project(program, path, latency), files

    def _verilog(self, program: Program, path: Path) -> tuple[RtlProject, Mapping[str, str]]:
        """The top module, the pieces, their tables and the primitives."""
        hardware = build(program, self.top, self.settings)
        netlist = hardware.netlist
        top = TopModule(self.top, hardware, program.inputs, program.outputs)
        probed = [tensor for tensor in program.ranges if tensor in hardware.tensors] if self.probes else []
        probes = tuple(_probe(tensor, hardware) for tensor in probed)
        files = {f"{module}.v": strict(piece.verilog(module)) for module, piece in netlist.pieces.items()}
        tables = {name: text for piece in netlist.pieces.values() for name, text in piece.tables.items()}
        files |= {f"{name}.v": text for name, text in tables.items()}
        files |= {source.name: source.read_text(encoding="utf-8") for source in PRIMITIVES.glob("*.v")}
        written = templates(HAND_WRITTEN, self.settings.tmr)
        files |= {
            f"{module}.v": (TEMPLATES / f"{name}.v").read_text(encoding="utf-8") for module, name in written.items()
        }
        if f"{self.top}.v" in files:
            raise RtlError("is the name of a module inside", where=f"top = {self.top!r}", remedy="choose another name")
        modules = top.modules([probe.port for probe in probes], in_copies=self.settings.tmr == "all")
        files |= {f"{name}.v": strict(text) for name, text in modules.items()}
        parts = {module: part.name for module, part in netlist.parts.items()}
        project = self._project(program, path, top.latency_cycles)
        project = dataclasses.replace(project, interval=hardware.interval, beats=hardware.arrival.beats, control=True)
        return dataclasses.replace(project, parts=parts, probes=probes), files

    def _project(self, program: Program, path: Path, latency: int) -> RtlProject:
        settings = self.settings
        return RtlProject(
            path,
            self.top,
            self.language,
            program.inputs,
            program.outputs,
            latency,
            products=settings.products,
            tmr=settings.tmr,
        )


def generate_rtl(program: Program, path: str | Path, **options: Any) -> RtlProject:
    """Write the RTL of a program.

    Parameters
    ----------
    program : Program
    path : path
        Project folder; an older RTL project there is replaced once the new one is complete.
    **options
        Options of `RtlTarget`.

    Raises
    ------
    RtlError
        If an option is outside its range, the folder holds something else, or all outputs are constant.
    """
    return RtlTarget(**options).write(program, Path(path))


def read_rtl(path: str | Path) -> RtlProject:
    """Read a project that `generate_rtl` wrote.

    Raises
    ------
    RtlError
        If there is no complete project in the folder.
    """
    path = Path(path)
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        ports = {key: tuple(map(_read_port, manifest[key])) for key in ("inputs", "outputs")}
        return RtlProject(**manifest | ports | {"path": path, "probes": tuple(map(_read_probe, manifest["probes"]))})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RtlError(
            f"is not an RTL project ({error})", where=str(path), remedy="generate it again with generate_rtl"
        ) from error


def _read_port(content: dict[str, Any]) -> Port:
    rounding = content["rounding"] and Rounding(content["rounding"])
    return Port(**content | {"shape": tuple(content["shape"]), "rounding": rounding})


def _read_probe(content: dict[str, Any]) -> Probe:
    padding = content["padding"] and Padding(**content["padding"])
    return Probe(_read_port(content["port"]), tuple(content["cycles"]), padding)


def _probe(tensor: str, hardware: Hardware) -> Probe:
    """A probe of a type that holds every element, including those of padded particles."""
    values, padding = hardware.tensors[tensor], hardware.padding.get(tensor)
    types = [value.number.type if isinstance(value, Word) else FixedRange.of_values(value) for value in values.ravel()]
    port = Port.of_output(tensor, values.shape, FixedRange.union(types))
    cycles = tuple(value.cycle if isinstance(value, Word) else 0 for value in values.ravel())
    return Probe(dataclasses.replace(port, name=f"probe_{tensor}"), cycles, padding)


def _write(project: RtlProject, files: Mapping[str, str]) -> None:
    """Write to a temporary folder and rename it, so that an incomplete project is never seen."""
    with folder_written_whole(project.path, RtlError) as temporary:
        (temporary / SOURCES).mkdir()
        write_texts(temporary / SOURCES, files)
        manifest: dict[str, Any] = dataclasses.asdict(project)
        del manifest["path"]
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")

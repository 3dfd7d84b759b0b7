"""Mapping of RTL to UltraScale+ cells with Yosys; the cell counts are estimates, not results of vendor tools."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nanopelican_hls.errors import RtlError
from nanopelican_hls.extras import require
from nanopelican_hls.files import write_atomically
from nanopelican_hls.processes import YOSYS, run_child
from nanopelican_hls.rtl.project import TEMPLATES, RtlProject

FAMILY = "xcup"
NETLIST = "mapped.v"
PIECES = "pieces.json"
#: names of device cells; those of modules contain ``$`` or lower-case letters
CELL = "[A-Z][A-Z0-9_]*"
#: prefix of files with modules instantiated from cells, which replace those of the same name
CELLS_PREFIX = "ultrascale_"


@dataclass(frozen=True)
class Cells:
    """Numbers of cells.

    Attributes
    ----------
    cells : number of cells of each kind.
    """

    cells: Mapping[str, int]

    def _count(self, pattern: str) -> int:
        return sum(count for kind, count in self.cells.items() if re.fullmatch(pattern, kind))

    @property
    def lut_by_size(self) -> dict[int, int]:
        """Logic LUTs by number of inputs."""
        return {size: self.cells.get(f"LUT{size}", 0) for size in range(1, 7)}

    @property
    def lut_of_two(self) -> int:
        """LUTs with two outputs, used in ternary adders."""
        return self._count("LUT6_2")

    @property
    def srl(self) -> int:
        """Shift registers of up to 32 bits, each of which takes one LUT."""
        return self._count("SRL.*")

    @property
    def lut(self) -> int:
        """LUTs for logic and shift registers; Yosys does not pack two functions into one.

        Stand-alone inverters are not counted, since vendor tools absorb most of them into LUTs.
        """
        return sum(self.lut_by_size.values()) + self.lut_of_two + self.srl

    def summary(self) -> dict[str, int]:
        return {"lut": self.lut - self.srl, "srl": self.srl, "ff": self.ff, "dsp": self.dsp, "carry4": self.carry4}

    @property
    def ff(self) -> int:
        return self._count("FD[A-Z]+(_1)?")

    @property
    def dsp(self) -> int:
        return self._count("DSP48E2")

    @property
    def carry4(self) -> int:
        """Carry chains in units of 4 bits, as Yosys counts them; a CARRY8 holds two units of one chain."""
        return self._count("CARRY4")

    @property
    def bram36(self) -> float:
        """Block RAMs in units of 36 kbit; one of 18 kbit counts as half."""
        return self._count("RAMB36.*") + self._count("RAMB18.*") / 2


@dataclass(frozen=True)
class PieceCells(Cells):
    """Cells of all instances of one part of the design.

    Attributes
    ----------
    instances : number of instances in the top module.
    """

    instances: int


@dataclass(frozen=True)
class MappedCells(Cells):
    """Cells after mapping, before placement.

    Attributes
    ----------
    pieces : parts of the design by name, with all of their instances.
    seconds : wall-clock time of Yosys.
    peak_memory_mb : peak memory of any child process so far.
    """

    pieces: Mapping[str, PieceCells]
    seconds: float
    peak_memory_mb: int


def map_rtl(project: RtlProject) -> MappedCells:
    """Map a Verilog project with Yosys for UltraScale+, out of context: without pads and clock buffers.

    The script, the log, the netlist and ``pieces.json`` are in ``map/``.

    Raises
    ------
    RtlError
        If Yosys is missing or fails; the message says how far it got.
    """
    if project.language != "verilog":
        raise RtlError("only Verilog can be mapped", where=str(project.path), remedy="generate Verilog")
    require("pyosys", "mapping", RtlError)
    folder = project.path / "map"
    folder.mkdir(exist_ok=True)
    script, log, counts = folder / "map.ys", folder / "yosys.log", folder / "cells.json"
    script.write_text(_script(project), encoding="utf-8")
    counts.unlink(missing_ok=True)
    start = time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        command = [sys.executable, "-c", YOSYS, script.name]
        status = run_child(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT).returncode
    if status or not counts.is_file():
        raise RtlError(_failure(log, status), where=str(project.path), remedy=f"see {log}")
    found = json.loads(counts.read_text(encoding="utf-8"))["modules"]
    modules = {name.lstrip("\\"): module["num_cells_by_type"] for name, module in found.items()}
    mapped = MappedCells(
        cells=_primitives(modules, project.top),
        pieces=_pieces(modules, project.top, project.parts),
        seconds=round(time.monotonic() - start, 1),
        peak_memory_mb=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    )
    table = {name: piece.summary() | {"instances": piece.instances} for name, piece in mapped.pieces.items()}
    effort = {"seconds": mapped.seconds, "peak_memory_mb": mapped.peak_memory_mb}
    write_atomically(folder / PIECES, json.dumps(effort | {"pieces": table}, indent=2) + "\n", RtlError)
    return mapped


def _pieces(modules: Mapping[str, Mapping[str, int]], top: str, parts: Mapping[str, str]) -> dict[str, PieceCells]:
    """Cells by part of the top module; variants of a piece and instances with other parameters are merged."""
    instances: Counter[str] = Counter()
    cells: dict[str, Counter[str]] = defaultdict(Counter)
    for module, count in modules[top].items():
        name = parts.get(_plain(module), _plain(module))
        instances[name] += count
        for kind, number in _primitives(modules, module).items():
            cells[name][kind] += number * count
    return {name: PieceCells(dict(found), instances[name]) for name, found in sorted(cells.items())}


def _primitives(modules: Mapping[str, Mapping[str, int]], module: str) -> Counter[str]:
    """Device cells in a module and its submodules."""
    if module not in modules:
        return Counter([module] if re.fullmatch(CELL, module) else [])
    total: Counter[str] = Counter()
    for kind, count in modules[module].items():
        for inner, number in _primitives(modules, kind).items():
            total[inner] += number * count
    return total


def _plain(module: str) -> str:
    """The name of a module without the parameters that Yosys adds before and after it."""
    return next((part for part in module.split("\\") if part and not part.startswith("$paramod")), module)


def mapping_sources(project: RtlProject) -> list[Path]:
    """Sources for Yosys: modules that it would map badly are replaced by ones instantiated from cells."""
    exchanged = {path.name.removeprefix(CELLS_PREFIX): path for path in sorted(TEMPLATES.glob(f"{CELLS_PREFIX}*.v"))}
    return [exchanged.get(path.name, path).resolve() for path in project.sources]


def _script(project: RtlProject) -> str:
    """The script maps each piece once, keeps the hierarchy, and lets `stat` multiply by the instances."""
    # -defer: modules with parameters are elaborated only as instantiated
    sources = " ".join(str(path) for path in mapping_sources(project))
    family = FAMILY if project.products == "dsp" else f"{FAMILY} -nodsp"
    return "\n".join(
        [
            f"read_verilog -defer -DNANOPELICAN_INSTANTIATE=1 {sources}",
            f"hierarchy -top {project.top}",
            f"setattr -mod -set keep_hierarchy 1 {project.top}_* *nanopelican_* table_*",
            # these are no parts of the hardware: what they are in is mapped as if written there
            "setattr -mod -unset keep_hierarchy *nanopelican_register* *nanopelican_voter*",
            f"synth_xilinx -family {family} -flatten -noiopad -noclkbuf -top {project.top} -run begin:map_luts",
            # the rest of synth_xilinx, with abc instead of abc9, which would double the run time of each module
            "opt_expr -mux_undef -noclkinv",
            "abc -luts 2:2,3,6:5,10,20",
            "clean",
            "xilinx_srl -fixed -minlen 3",
            "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
            "xilinx_dffopt",
            "opt_lut_ins -tech xilinx",
            "clean",
            "blackbox =A:whitebox",
            "tee -q -o cells.json stat -json",
            f"write_verilog -noattr {NETLIST}",
            "",
        ]
    )


def _failure(log: Path, status: int) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    error = next((line for line in lines if line.startswith("ERROR")), None)
    if error:
        return f"Yosys failed: {error}"
    steps = [line for line in lines if " Executing " in line]
    killed = "was killed" if status < 0 else f"exited with status {status}"
    return f"Yosys {killed} in step {steps[-1] if steps else 'none'}"

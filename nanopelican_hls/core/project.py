"""A core as a folder: sources, port map, packaging for FuseSoC and Vivado, and a test bench (docs/core.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nanopelican_hls.contract.program import Program
from nanopelican_hls.core import port_map
from nanopelican_hls.core.emp import EmpSettings, Payload
from nanopelican_hls.core.frame import Arrays, require_words
from nanopelican_hls.core.packaging import fusesoc_core, vivado_script
from nanopelican_hls.core.shell import MODULES, Shell
from nanopelican_hls.errors import RtlError
from nanopelican_hls.files import folder_written_whole, project_folder, write_texts
from nanopelican_hls.rtl.project import SOURCES, TEMPLATES, RtlTarget, generate_rtl
from nanopelican_hls.rtl.settings import Settings
from nanopelican_hls.topology.level1_format import Level1Format

#: the test bench, which cocotb runs
TESTBENCH = Path(__file__).with_name("core_testbench.py")
#: widest TUSER
MOST_USER_BITS = 1024
#: what says that a folder is a core, and may be replaced
MARKER = "port_map.json"


@dataclass(frozen=True)
class CoreSettings:
    """Settings of a core.

    Attributes
    ----------
    top : name of the pipeline, and prefix of all other modules.
    version : of the core, for package managers: numbers with dots.
    user_bits : width of TUSER, the sideband bits.
    hardware : arithmetic, pipelining, interval.
    level1 : format of the words on the input, or None for concatenated ports (`Frame`).
    emp : links of a payload of the EMP framework; None for none.

    Raises
    ------
    RtlError
        If an option is outside its range.
    """

    top: str = "nanopelican"
    version: str = "1.0.0"
    user_bits: int = 8
    hardware: Settings = field(default_factory=Settings)
    level1: Level1Format | None = None
    emp: EmpSettings | None = None

    def __post_init__(self) -> None:
        RtlTarget(self.top, settings=self.hardware)
        if not 1 <= self.user_bits <= MOST_USER_BITS:
            raise RtlError(
                "is no width of TUSER", where=f"{self.user_bits} sideband bits", remedy=f"use 1 to {MOST_USER_BITS}"
            )
        if self.top in MODULES:
            raise RtlError("is the name of a module inside", where=f"top = {self.top!r}", remedy="choose another name")
        if not re.fullmatch(r"\d+\.\d+\.\d+", self.version, re.ASCII):
            raise RtlError("is no version", where=repr(self.version), remedy="use three numbers, such as 1.0.0")


def write_core(program: Program, folder: Path, settings: CoreSettings, events: Arrays) -> Shell:
    """Write a core.

    Parameters
    ----------
    program : Program
    folder : Path
        Replaced as a whole once the new core is complete; an older core may be there, nothing else.
    settings : CoreSettings
    events : mapping of str to float64 array [n, ...]
        Tensors of an execution of the program: inputs and outputs of the test bench's events.

    Raises
    ------
    RtlError
        If an option is outside its range, the network cannot be built, or the folder holds something else.
    """
    path = project_folder(Path(folder), RtlError)
    if path.exists() and not (path / MARKER).is_file() and not (path.is_dir() and not any(path.iterdir())):
        raise RtlError("exists and is not a core", where=str(path), remedy="choose another folder")
    if settings.level1 is not None:
        require_words(program.inputs, settings.level1)
    with folder_written_whole(path, RtlError) as temporary:
        project = generate_rtl(program, temporary, top=settings.top, settings=settings.hardware)
        shell = Shell(project, settings.user_bits, settings.level1)
        write_texts(temporary, _files(shell, settings, events))
    return shell


def _files(shell: Shell, settings: CoreSettings, events: Arrays) -> Mapping[str, str]:
    files = {f"{SOURCES}/{module}.v": (TEMPLATES / f"{module}.v").read_text(encoding="utf-8") for module in MODULES}
    files[f"{SOURCES}/{shell.top}.v"] = shell.verilog()
    sources = sorted([*(source.name for source in shell.project.sources), *(Path(name).name for name in files)])
    files |= {
        MARKER: port_map.text(shell),
        "port_map.md": port_map.as_markdown(shell),
        f"{shell.top}.h": port_map.as_header(shell),
        f"{shell.project.top}.core": fusesoc_core(shell, settings.version, sources),
        "package.tcl": vivado_script(shell, settings.version),
        "test/core_testbench.py": TESTBENCH.read_text(encoding="utf-8"),
        "test/events.json": _events(shell, events),
    }
    if settings.emp:
        files |= Payload(shell, settings.emp).files(sources, events)
    return files


def _events(shell: Shell, events: Arrays) -> str:
    """Words and results as hexadecimal bytes, the lowest first."""
    words, results = shell.events.of(events, np.random.default_rng(1)), shell.results.of(events)
    content = {
        "interval": shell.project.interval,
        "latency_cycles": shell.latency_cycles,
        "user_bits": shell.user_bits,
        "events": [[word.tobytes().hex() for word in event] for event in words],
        "results": [event.tobytes().hex() for event in results],
    }
    return json.dumps(content) + "\n"

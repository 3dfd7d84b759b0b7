"""The test bench of a core in Icarus Verilog, through FuseSoC and cocotb (docs/core.md)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nanopelican_hls import extras
from nanopelican_hls.errors import RtlError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.processes import run_child


@dataclass(frozen=True)
class CoreSimulation:
    """What the test bench found.

    Attributes
    ----------
    tests, failed : names of its tests, and of those that failed.
    figures : what they measured.
    picture : the waveforms of three events; None without matplotlib.
    """

    tests: tuple[str, ...]
    failed: tuple[str, ...]
    figures: Mapping[str, int]
    picture: Path | None

    def described(self) -> dict[str, str]:
        """The same for people, by name."""
        return {
            "test bench": f"{len(self.tests) - len(self.failed)} of {len(self.tests)} tests passed"
            + (f"; failed: {', '.join(self.failed)}" if self.failed else ""),
            **{name.replace("_", " "): str(value) for name, value in self.figures.items()},
            "waveform": str(self.picture or f"not drawn: {extras.install('matplotlib')}"),
        }


def simulate_core(core: Path, work: Path, top: str, version: str) -> CoreSimulation:
    """Run the test bench of a core, and draw waveforms into its folder.

    Parameters
    ----------
    core : Path
        Folder of the core.
    work : Path
        Folder of the simulation, replaced; ``fusesoc.log`` in it is what the tools printed.
    top, version : str
        As in `CoreSettings`.

    Raises
    ------
    RtlError
        If a tool is missing, or the simulation ends without a result.
    """
    for package in ("cocotb", "cocotbext", "fusesoc"):
        extras.require(package, "the test bench of a core", RtlError)
    if not shutil.which("iverilog"):
        raise RtlError("is not installed", where="Icarus Verilog (iverilog)", remedy="apt-get install iverilog")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    log = work / "fusesoc.log"
    tools = Path(sys.executable).parent  # cocotb's own commands
    command = [tools / "fusesoc", "--cores-root", core.absolute(), "run", "--target", "sim", "--work-root", "sim"]
    with log.open("w", encoding="utf-8") as file:
        run_child(
            [*map(str, command), f"nanopelican:hls:{top}:{version}"],
            cwd=work,
            env=os.environ | {"PATH": os.pathsep.join([str(tools), os.environ.get("PATH", "")])},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    results = work / "sim" / "results.xml"
    if not results.is_file():
        raise RtlError("the simulation ended without a result", where=str(core), remedy=f"read {log}")
    cases = list(ElementTree.parse(results).iter("testcase"))
    names = tuple(case.get("name", "") for case in cases)
    failed = tuple(case.get("name", "") for case in cases if len(case))
    return CoreSimulation(names, failed, _read(work / "sim" / "figures.json"), _picture(core, work / "sim"))


def _read(path: Path) -> Mapping[str, int]:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _picture(core: Path, work: Path) -> Path | None:
    record, picture = work / "waveform.json", core / "waveform.svg"
    if not extras.is_installed("matplotlib") or not record.is_file():
        return None
    from nanopelican_hls.core.waveform import waveform

    write_atomically(picture, waveform(json.loads(record.read_text(encoding="utf-8"))), RtlError)
    return picture

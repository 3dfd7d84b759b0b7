"""The stand-alone C++ test bench of a project, which reads events as integers and compares integers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanopelican_hls.contract.execution import port_arrays
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.flows.compiler import first_error, require_compiler
from nanopelican_hls.hls.project import Firmware, read_manifest
from nanopelican_hls.hls.sources import events_header
from nanopelican_hls.processes import run_child
from nanopelican_hls.proof.comparison import to_integers

EVENTS_FILE = "tb_data/events.dat"
SCRIPT = "run_testbench.sh"


@dataclass(frozen=True)
class BenchResult:
    """Result of the test bench: number of events, number of events that differ, and the first difference as text."""

    events: int
    mismatches: int
    first_mismatch: str | None


def write_events(
    project: Firmware | str | Path, ports: Mapping[str, ArrayLike], expected: Mapping[str, ArrayLike]
) -> Path:
    """Write the event file of the test bench: a header line, then one line of integers per event.

    Parameters
    ----------
    project : Firmware or path
        A complete project.
    ports : mapping of str to integer array [n, ...]
        Integers on the grids of the ports, by graph input.
    expected : mapping of str to integer array [n, ...]
        Integers on the grids of the outputs, by graph output.

    Returns
    -------
    Path
        The file, ``tb_data/events.dat`` in the project.

    Raises
    ------
    FirmwareError
        If the project is incomplete, or the arrays do not match it.
    """
    path = project.path if isinstance(project, Firmware) else Path(project)
    manifest = read_manifest(path)
    outputs = _columns("output", manifest["outputs"], expected)
    columns = _columns("port", manifest["ports"], ports, events=len(outputs[0])) + outputs
    lines = (" ".join(map(str, row)) for row in np.concatenate(columns, axis=1).tolist())
    file = path / EVENTS_FILE
    file.parent.mkdir(exist_ok=True)
    write_atomically(file, "\n".join([events_header(manifest), *lines]) + "\n", FirmwareError)
    return file


def _columns(
    kind: str, wanted: Mapping[str, Any], given: Mapping[str, ArrayLike], events: int | None = None
) -> list[NDArray[np.int64]]:
    """Integers [n, elements] of every port, in the order of the manifest."""
    columns = []
    for name, port in wanted.items():
        if name not in given:
            raise FirmwareError("is missing", where=f"{kind} {name!r}", remedy=f"pass {', '.join(wanted)}")
        values = _integers(name, given[name])
        events = len(values) if events is None else events
        if values.shape != (events, *port["shape"]):
            raise FirmwareError(
                f"has shape {values.shape}, expected {(events, *port['shape'])}",
                where=f"{kind} {name!r}",
                remedy="pass one row per event",
            )
        columns.append(values.reshape(events, -1))
    return columns


def _integers(name: str, values: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise FirmwareError(
            f"must hold integers, not {array.dtype}",
            where=name,
            remedy="pass the integers of the ports, or use write_real_events",
        )
    return array.astype(np.int64)


def run_events_file(project: Firmware | str | Path) -> BenchResult:
    """Compile the test bench with g++ and run it on the event file.

    Raises
    ------
    FirmwareError
        If the sources do not compile, or the event file is invalid; a mismatch is a result, not an error.
    """
    path = project.path if isinstance(project, Firmware) else Path(project)
    read_manifest(path)
    require_compiler()
    result = run_child([f"./{SCRIPT}"], cwd=path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log = path / "testbench.log"
    log.write_text(result.stdout, encoding="utf-8")
    summary = re.search(r"^(PASS|FAIL): (\d+) events, (\d+) mismatches$", result.stdout, re.MULTILINE)
    if not summary or result.returncode != (summary[1] == "FAIL"):
        raise FirmwareError(
            f"the test bench failed (exit status {result.returncode}): {first_error(result.stdout)}",
            where=str(path),
            remedy=f"see {log}",
        )
    first = re.search(r"^FIRST MISMATCH: (.*)$", result.stdout, re.MULTILINE)
    return BenchResult(int(summary[2]), int(summary[3]), first[1] if first else None)


def run_testbench(
    firmware: Firmware, ports: Mapping[str, NDArray[np.float64]], outputs: Mapping[str, NDArray[np.float64]]
) -> BenchResult:
    """Run events through the test bench, as `write_real_events` and then `run_events_file`."""
    write_real_events(firmware, ports, outputs)
    return run_events_file(firmware)


def write_real_events(
    firmware: Firmware, ports: Mapping[str, NDArray[np.float64]], outputs: Mapping[str, NDArray[np.float64]]
) -> Path:
    """Write the event file of the test bench, from real numbers.

    Parameters
    ----------
    firmware : Firmware
        From `convert`; it need not be compiled.
    ports : mapping of str to float64 array [n, ...]
        As for `predict`.
    outputs : mapping of str to float64 array [n, ...]
        Expected outputs, by tensor.

    Raises
    ------
    FirmwareError
        If an output is not on its grid, or as for `write_events`.
    """
    arrays = port_arrays(firmware.program, ports)
    integers = {port.name: port.quantiser.integers(arrays[port.name]) for port in firmware.program.inputs}
    expected = {}
    for port in firmware.program.outputs:
        expected[port.name], on_grid = to_integers(outputs[port.tensor], port.exponent)
        if not on_grid.all():
            event = int(np.argwhere(~on_grid)[0][0])
            raise FirmwareError(
                "is not on the grid of the output",
                where=f"{port.name} of event {event}",
                remedy="pass outputs of execute for the same program",
            )
    return write_events(firmware, integers, expected)

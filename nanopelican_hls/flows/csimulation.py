"""C-simulation of an HLS project: its C++ is compiled to a library, which runs events."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import hashlib
import math
import os
import queue
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.execution import port_arrays
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import require_exec, written_whole
from nanopelican_hls.flows.compiler import known_flags, require_compiler, run_compiler
from nanopelican_hls.hls.project import Firmware, read_manifest

#: hls4ml's flags, and two more. Without GNU unique symbols, copies of a library have separate state. With NDEBUG, the
#: types do not check the floating-point environment at every conversion to double, a third of the time of a trace.
COMPILER_FLAGS = ("-std=c++11", "-fPIC", "-shared", "-fno-gnu-unique", "-DNDEBUG")


#: events per call of the library; the process can only be interrupted between calls
EVENTS_PER_CALL = 256


Arrays = Mapping[str, NDArray[np.float64]]


def compile(firmware: Firmware, *, optimisation: str = "-O3") -> Firmware:  # noqa: A001
    """Compile the C-simulation of a project with g++, or with the compiler that the variable CXX names.

    Parameters
    ----------
    firmware : Firmware
        From `convert`.
    optimisation : str
        Optimisation flag of the compiler.

    Returns
    -------
    Firmware
        With its library, whose name contains a digest of sources and command, so that it always matches the sources.

    Raises
    ------
    FirmwareError
        If the project is incomplete, the compiler is missing, or the sources do not compile (with the first error).
    """
    project = read_manifest(firmware.path)["project"]
    require_exec(firmware.path, FirmwareError)
    compiler = require_compiler()
    command = [compiler, *known_flags(compiler, COMPILER_FLAGS), optimisation, "-Ifirmware/ap_types"]
    sources = [f"firmware/{project}.cpp", f"{project}_batch.cpp"]
    library = firmware.path / "firmware" / f"{project}-{_digest(firmware.path, command)}.so"
    if not library.exists():
        with written_whole(library, FirmwareError) as temporary:
            run_compiler([*command, *sources, "-o", str(temporary)], firmware.path, "compile.log")
    return dataclasses.replace(firmware, library=library)


def _digest(path: Path, command: list[str]) -> str:
    """Digest of everything that the library depends on."""
    digest = hashlib.sha256(" ".join(command).encode())
    files = [p for pattern in ("*.cpp", "firmware/**/*.h", "firmware/*.cpp") for p in path.glob(pattern)]
    for file in sorted(files):
        digest.update(file.relative_to(path).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def predict(firmware: Firmware, ports: Arrays, *, threads: int | None = None) -> dict[str, NDArray[np.float64]]:
    """C-simulate events and return the outputs by name.

    Parameters
    ----------
    firmware : Firmware
        From `compile`.
    ports : mapping of str to float64 array [n, ...]
        Keyed by graph input; the suffix ``_in`` may be left out. The types of the ports quantise the values.
    threads : int, optional
        By default, one per core.

    Returns
    -------
    dict of str to float64 array [n, ...]

    Raises
    ------
    FirmwareError
        If the firmware is not compiled.
    ContractError
        If a port is missing, has the wrong shape, or holds NaN or infinity.
    """
    arrays = port_arrays(firmware.program, ports)
    shapes = {port.name: port.shape for port in firmware.program.outputs}
    return _run(firmware, arrays, shapes, trace=False, threads=threads)


def trace(firmware: Firmware, ports: Arrays, *, threads: int | None = None) -> dict[str, NDArray[np.float64]]:
    """C-simulate events and return every tensor by its name in the QONNX graph.

    Arguments and errors as for `predict`. Needs about 8 bytes per value, so split many events into chunks.

    Returns
    -------
    dict of str to float64 array [n, ...]
    """
    arrays = port_arrays(firmware.program, ports)
    return _run(firmware, arrays, read_manifest(firmware.path)["tensors"], trace=True, threads=threads)


def _run(
    firmware: Firmware, arrays: Arrays, shapes: Mapping[str, Sequence[int]], *, trace: bool, threads: int | None
) -> dict[str, NDArray[np.float64]]:
    """Run the library, whose inputs and results are rows of all elements, one per event; returns tensors."""
    if firmware.library is None:
        raise FirmwareError("is not compiled", where=str(firmware.path), remedy="call compile() first")
    inputs = np.concatenate([a.reshape(len(a), math.prod(a.shape[1:])) for a in arrays.values()], axis=1)
    sizes = [math.prod(shape) for shape in shapes.values()]
    rows = np.empty((len(inputs), sum(sizes)))
    starts = range(0, len(inputs), EVENTS_PER_CALL)
    threads = min(threads or len(os.sched_getaffinity(0)), max(1, len(starts)))
    instances: queue.SimpleQueue[Callable[..., None]] = queue.SimpleQueue()
    for instance in range(threads):
        instances.put(_run_events(firmware.library, instance))

    def run(start: int) -> None:
        chunk = slice(start, min(start + EVENTS_PER_CALL, len(inputs)))
        run_events = instances.get()
        try:
            run_events(len(inputs[chunk]), inputs[chunk].ctypes.data, rows[chunk].ctypes.data, trace)
        finally:
            instances.put(run_events)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, starts))
    columns = np.split(rows, np.cumsum(sizes)[:-1], axis=1)
    return {name: c.reshape(len(rows), *shape) for (name, shape), c in zip(shapes.items(), columns, strict=True)}


@functools.cache
def _run_events(library: Path, instance: int) -> Callable[..., None]:  # noqa: ARG001
    """``run_events`` of a separate copy of the library, since hls4ml's trace storage is global."""
    try:
        with tempfile.NamedTemporaryFile(dir=library.parent, suffix=".so") as file:
            shutil.copyfile(library, file.name)
            function = ctypes.CDLL(file.name).run_events
    except OSError as error:
        raise FirmwareError(f"cannot be loaded ({error})", where=str(library), remedy="compile again") from error
    function.restype = None
    function.argtypes = [ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_bool]
    run_events: Callable[..., None] = function
    return run_events

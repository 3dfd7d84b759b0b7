"""From a QONNX file to an HLS project and its C-simulation: convert, compile, predict, trace."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import dataclasses
import functools
import hashlib
import io
import json
import logging
import math
import os
import queue
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hls4ml
import numpy as np
import onnx
from numpy.typing import NDArray

from nanopelican_hls.contract.execution import port_arrays
from nanopelican_hls.contract.graph import save_model
from nanopelican_hls.contract.program import Program, read_model
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import written_whole
from nanopelican_hls.hls.passes import BACKENDS, MANIFEST, begin_project, check_keys
from nanopelican_hls.hls.registration import register

logger = logging.getLogger(__name__)

#: the contract, inside the project
MODEL = "model.onnx"
#: sections of a hls4ml configuration
CONFIG_SECTIONS = ("Model", "LayerName", "LayerType", "Flows", "Optimizers", "SkipOptimizers")
COMPILER = "g++"
#: As hls4ml compiles. Without GNU unique symbols, several copies of a library keep their own state. Without NDEBUG, the
#: types look at the floating-point environment whenever one becomes a double: a third of the time of a trace.
COMPILER_FLAGS = ("-std=c++11", "-fPIC", "-shared", "-fno-gnu-unique", "-DNDEBUG")
#: events per call into the library: between two calls the process can be interrupted
EVENTS_PER_CALL = 256

Arrays = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Firmware:
    """An HLS project.

    Attributes
    ----------
    program : Program
        What the firmware computes.
    model : hls4ml.model.ModelGraph
        hls4ml's view of it; its own ``compile``, ``predict``, ``trace`` and ``build`` work as for any model.
    path : Path
        The folder of the project.
    library : Path or None
        The compiled C-simulation; None before `compile`.
    """

    program: Program
    model: Any
    path: Path
    library: Path | None = None


def read_manifest(path: str | Path) -> dict[str, Any]:
    """What a complete project says about itself.

    Raises
    ------
    FirmwareError
        If there is no project, or one that was not written to its end.
    """
    path = Path(path)
    try:
        manifest: dict[str, Any] = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        manifest = {}
    if not manifest:
        raise FirmwareError(
            f"is not a complete HLS project ({MANIFEST} is missing, empty or damaged)",
            where=str(path),
            remedy="convert again",
        )
    return manifest


def convert(
    model: onnx.ModelProto | str | Path,
    output_dir: str | Path,
    *,
    backend: str = "Vitis",
    part: str = "xcvu13p-flga2577-2-e",
    clock_period_ns: float = 2.7777,
    reuse_factor: int = 1,
    hls_config: Mapping[str, Any] | None = None,
    project_name: str = "nanopelican",
) -> Firmware:
    """Write the HLS project of a model.

    Parameters
    ----------
    model : onnx.ModelProto or path
        A model of the contract.
    output_dir : path
        A new folder, an empty one, or one that holds an older project, which is replaced.
    backend : str
        ``Vitis`` or ``Vivado``.
    part : str
        FPGA part.
    clock_period_ns : float
        Target clock period.
    reuse_factor : int
        Initiation interval in clock cycles, for layers that `hls_config` gives none.
    hls_config : mapping, optional
        As ``hls4ml.utils.config_from_onnx_model`` gives it. Precisions in it have no effect: types are exact.
    project_name : str
        Name of the top function.

    Raises
    ------
    ContractError
        If the model is outside the contract.
    FirmwareError
        If an option is not supported, or the folder holds something else or cannot be written.
    """
    if backend not in BACKENDS:
        raise FirmwareError(f"unknown backend {backend!r}", where="backend", remedy=f"use {' or '.join(BACKENDS)}")
    if reuse_factor < 1:
        raise FirmwareError(f"must be at least 1, not {reuse_factor}", where="reuse_factor")
    if not re.fullmatch(r"[A-Za-z]\w*", project_name):
        raise FirmwareError(f"{project_name!r} is no name of a C++ function", where="project_name")
    source = model if isinstance(model, onnx.ModelProto) else read_model(model)
    program = Program.parse(source)
    config = copy.deepcopy(dict(hls_config or {}))
    check_keys(config, CONFIG_SECTIONS, "hls_config")
    config["Model"] = {"ReuseFactor": reuse_factor} | dict(config.get("Model") or {})
    path = Path(output_dir).absolute()
    register()
    try:
        _make_folder(path)
        save_model(source, path / MODEL)
        with _logged_output():
            graph = _traced_graph(
                path,
                project_name=project_name,
                backend=backend,
                part=part,
                clock_period=clock_period_ns,
                hls_config=config,
            )
            graph.write()
    except OSError as error:
        # hls4ml copies folders: shutil reports a list of (source, destination, reason)
        reason = error.args[0][0][-1] if isinstance(error, shutil.Error) else error.strerror
        raise FirmwareError(
            f"cannot be written ({reason})", where=str(path), remedy="free some space or choose another folder"
        ) from error
    return Firmware(program, graph, path)


def _traced_graph(path: Path, **options: Any) -> Any:
    """hls4ml's view of the model in a project folder; its C-simulation can trace every layer."""
    graph = hls4ml.converters.convert_from_onnx_model(
        str(path / MODEL),
        output_dir=str(path),
        # constants stand in the sources: the project does not depend on where it lies
        write_weights_txt=False,
        **options,
    )
    graph.config.trace_output = True
    for layer in graph.get_layers():
        layer.set_attr("trace", True)
    return graph


def _make_folder(path: Path) -> None:
    """An empty folder; an older project is removed, for its reports would be taken for those of the new one."""
    if path.exists():
        if not path.is_dir() or (any(path.iterdir()) and not (path / MANIFEST).exists()):
            raise FirmwareError("exists and is not an HLS project", where=str(path), remedy="choose another folder")
        shutil.rmtree(path)
    begin_project(path)


@contextlib.contextmanager
def _logged_output() -> Iterator[None]:
    """What hls4ml prints goes to the log."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            logger.debug("hls4ml: %s", line)


def compile(firmware: Firmware, *, optimisation: str = "-O3") -> Firmware:  # noqa: A001
    """Compile the C-simulation of a project with g++.

    Parameters
    ----------
    firmware : Firmware
        From `convert`.
    optimisation : str
        Optimisation flag of the compiler.

    Returns
    -------
    Firmware
        With its library. It is named by a digest of sources and command, and so never stands for other sources.

    Raises
    ------
    FirmwareError
        If the project is not complete, the compiler is missing, or the sources do not compile (with the first error).
    """
    project = read_manifest(firmware.path)["project"]
    compiler = require_compiler()
    command = [compiler, *COMPILER_FLAGS, optimisation, "-Ifirmware/ap_types"]
    sources = [f"firmware/{project}.cpp", f"{project}_batch.cpp"]
    library = firmware.path / "firmware" / f"{project}-{_digest(firmware.path, command)}.so"
    if not library.exists():
        with written_whole(library, FirmwareError) as temporary:
            run_compiler([*command, *sources, "-o", str(temporary)], firmware.path, "compile.log")
    return dataclasses.replace(firmware, library=library)


def require_compiler() -> str:
    """Path of the C++ compiler."""
    compiler = shutil.which(COMPILER)
    if compiler is None:
        raise FirmwareError(
            "not found on the PATH", where=COMPILER, remedy=f"install {COMPILER} (Debian, Ubuntu: apt-get install g++)"
        )
    return compiler


def run_compiler(command: list[str], path: Path, log_name: str) -> None:
    """Run a compiler in a project folder; its whole output goes to a log file there."""
    logger.info("%s", " ".join(command))
    result = subprocess.run(command, cwd=path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    log = path / log_name
    log.write_text(" ".join(command) + "\n" + result.stdout, encoding="utf-8")
    if result.returncode:
        raise FirmwareError(
            f"does not compile (exit status {result.returncode}): {first_error(result.stdout)}",
            where=str(path),
            remedy=f"see {log}",
        )


def first_error(output: str) -> str:
    """The line of a compiler's or test bench's output that says what is wrong."""
    lines = output.splitlines()
    # the linker says why before its driver says "error"
    errors = [line for line in lines if re.search(r"\berror\b|No space left|final link failed", line)]
    return (errors or lines or ["no output"])[0].strip()


def _digest(path: Path, command: list[str]) -> str:
    """Of everything that the library is made from."""
    digest = hashlib.sha256(" ".join(command).encode())
    files = [p for pattern in ("*.cpp", "firmware/**/*.h", "firmware/*.cpp") for p in path.glob(pattern)]
    for file in sorted(files):
        digest.update(file.relative_to(path).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def predict(firmware: Firmware, ports: Arrays, *, threads: int | None = None) -> NDArray[np.float64]:
    """C-simulate events and return their logits.

    Parameters
    ----------
    firmware : Firmware
        From `compile`.
    ports : mapping of str to float64 array [n, ...]
        By the names of the graph inputs, or by the names without ``_in``; quantised by the types of the ports.
    threads : int, optional
        By default one per core.

    Returns
    -------
    float64 array [n]

    Raises
    ------
    FirmwareError
        If the firmware is not compiled.
    ContractError
        If a port is missing or of another shape.
    """
    arrays = port_arrays(firmware.program, ports)
    return _run(firmware, arrays, width=1, trace=False, threads=threads)[:, 0]


def trace(firmware: Firmware, ports: Arrays, *, threads: int | None = None) -> dict[str, NDArray[np.float64]]:
    """C-simulate events and return every tensor, by its name in the QONNX graph.

    Takes what `predict` takes. Holds about 8 bytes a value: for many events call it on one chunk after the other.

    Returns
    -------
    dict of str to float64 array [n, ...]
    """
    arrays = port_arrays(firmware.program, ports)
    shapes = read_manifest(firmware.path)["tensors"]
    sizes = [math.prod(shape) for shape in shapes.values()]
    rows = _run(firmware, arrays, width=sum(sizes), trace=True, threads=threads)
    columns = np.split(rows, np.cumsum(sizes)[:-1], axis=1)
    return {name: c.reshape(len(rows), *shape) for (name, shape), c in zip(shapes.items(), columns, strict=True)}


def _run(firmware: Firmware, arrays: Arrays, *, width: int, trace: bool, threads: int | None) -> NDArray[np.float64]:
    """Rows of results, from rows that hold all ports of an event one after the other."""
    if firmware.library is None:
        raise FirmwareError("is not compiled", where=str(firmware.path), remedy="call compile() first")
    inputs = np.concatenate([a.reshape(len(a), math.prod(a.shape[1:])) for a in arrays.values()], axis=1)
    rows = np.empty((len(inputs), width))
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
    return rows


@functools.cache
def _run_events(library: Path, instance: int) -> Callable[..., None]:  # noqa: ARG001
    """``run_events`` of a copy of the library of its own: hls4ml's trace storage is global in each."""
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

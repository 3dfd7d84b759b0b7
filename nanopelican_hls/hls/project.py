"""Conversion of a program to an HLS project."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hls4ml

from nanopelican_hls.contract.program import Program, save_program
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import LOCK, one_at_a_time, project_folder
from nanopelican_hls.hls.passes import BACKENDS, MANIFEST, begin_project, check_keys, converting
from nanopelican_hls.hls.registration import register

logger = logging.getLogger(__name__)

#: the QONNX file inside the project
MODEL = "model.onnx"


#: sections of an hls4ml configuration
CONFIG_SECTIONS = ("Model", "LayerName", "LayerType", "Flows", "Optimizers", "SkipOptimizers")


@dataclass(frozen=True)
class Firmware:
    """An HLS project.

    Attributes
    ----------
    program : Program
        The program that the firmware implements.
    model : hls4ml.model.ModelGraph
        hls4ml's view of it; its own ``compile``, ``predict``, ``trace`` and ``build`` work as for any model.
    path : Path
        Folder of the project.
    library : Path or None
        The compiled C-simulation; None before `compile`.
    """

    program: Program
    model: Any
    path: Path
    library: Path | None = None


def read_manifest(path: str | Path) -> dict[str, Any]:
    """Read the manifest of a complete project.

    Raises
    ------
    FirmwareError
        If there is no project, or it is incomplete.
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


#: hls4ml has global registries, and its output is redirected for the whole process
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class HlsTarget:
    """An HLS project, for AMD's tools and for C-simulation.

    Attributes
    ----------
    backend : ``Vitis`` or ``Vivado``.
    part : FPGA part.
    clock_period_ns : target clock period.
    reuse_factor : initiation interval in clock cycles, for layers without a reuse factor in `hls_config`.
    hls_config : as from ``hls4ml.utils.config_from_onnx_model``. Its precisions have no effect, since types are exact.
    project_name : name of the top function.
    namespace : C++ namespace of all that is generated; none by default.
    traced : whether the C-simulation can store every tensor.

    Raises
    ------
    FirmwareError
        If an option is not supported.
    """

    backend: str = "Vitis"
    part: str = "xcvu13p-flga2577-2-e"
    clock_period_ns: float = 2.7777
    reuse_factor: int = 1
    hls_config: Mapping[str, Any] | None = None
    project_name: str = "nanopelican"
    namespace: str | None = None
    traced: bool = True

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise FirmwareError(
                f"unknown backend {self.backend!r}", where="backend", remedy=f"use {' or '.join(BACKENDS)}"
            )
        if self.reuse_factor < 1:
            raise FirmwareError(
                f"must be at least 1, not {self.reuse_factor}",
                where="reuse_factor",
                remedy="use 1 for a new event in every cycle",
            )
        for option, name, what in (
            ("project_name", self.project_name, "function name"),
            ("namespace", self.namespace, "namespace"),
        ):
            if name is not None and not re.fullmatch(r"[A-Za-z]\w*", name):
                raise FirmwareError(
                    f"{name!r} is not a valid C++ {what}",
                    where=option,
                    remedy="use letters, digits and '_', a letter first",
                )
        check_keys(self.hls_config or {}, CONFIG_SECTIONS, "hls_config")

    def write(self, program: Program, folder: Path) -> Firmware:
        """Write the project; see `contract.target.Target`."""
        config = copy.deepcopy(dict(self.hls_config or {}))
        config["Model"] = {"ReuseFactor": self.reuse_factor} | dict(config.get("Model") or {})
        path = project_folder(Path(folder), FirmwareError)
        register()
        try:
            _claim(path)
            with _alone(path), _logged_output(), _handed_over(program):
                _begin(path)
                save_program(program, path / MODEL)
                graph = _graph(
                    path,
                    traced=self.traced,
                    namespace=self.namespace,
                    project_name=self.project_name,
                    backend=self.backend,
                    part=self.part,
                    clock_period=self.clock_period_ns,
                    hls_config=config,
                )
                graph.write()
        except OSError as error:
            # hls4ml copies folders, and shutil.Error holds a list of (source, destination, reason)
            reason = error.args[0][0][-1] if isinstance(error, shutil.Error) else error.strerror
            raise FirmwareError(
                f"cannot be written ({reason})", where=str(path), remedy="free some space or choose another folder"
            ) from error
        return Firmware(program, graph, path)


def convert(program: Program | str | Path, output_dir: str | Path, **options: Any) -> Firmware:
    """Write the HLS project of a program.

    Parameters
    ----------
    program : Program or path
        A program, or the path of a QONNX file.
    output_dir : path
        A folder that does not exist or is empty, or an older project, which is replaced.
    **options
        Options of `HlsTarget`.

    Raises
    ------
    ContractError
        If the file violates the contract.
    FirmwareError
        If an option is not supported, or the folder holds something else, cannot be written, or is in use by another
        run.
    """
    return HlsTarget(**options).write(Program.of(program), Path(output_dir))


def _graph(path: Path, *, traced: bool, **options: Any) -> Any:
    """hls4ml's model of the file in a project folder; if traced, with tracing enabled for every layer."""
    graph = hls4ml.converters.convert_from_onnx_model(
        str(path / MODEL),
        output_dir=str(path),
        # weights go into the C++ sources, so the project folder can be moved
        write_weights_txt=False,
        **options,
    )
    if traced:
        graph.config.trace_output = True
        for layer in graph.get_layers():
            layer.set_attr("trace", True)
    return graph


def _claim(path: Path) -> None:
    """Create the folder of a project, or see that it is one."""
    if path.exists() and (
        not path.is_dir() or (any(p.name != LOCK for p in path.iterdir()) and not (path / MANIFEST).exists())
    ):
        raise FirmwareError("exists and is not an HLS project", where=str(path), remedy="choose another folder")
    path.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other threads out of hls4ml, and other processes out of the folder."""
    with _one_at_a_time, one_at_a_time(path, FirmwareError):
        yield


def _begin(path: Path) -> None:
    """Empty the folder of an older project, so that its reports are not taken for new ones."""
    for old in path.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        elif old.name != LOCK:
            old.unlink()
    begin_project(path)


@contextlib.contextmanager
def _handed_over(program: Program) -> Iterator[None]:
    """Let our hooks in hls4ml use this program instead of parsing the file again."""
    token = converting.set(program)
    try:
        yield
    finally:
        converting.reset(token)


@contextlib.contextmanager
def _logged_output() -> Iterator[None]:
    """Redirect hls4ml's output to the log."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            logger.debug("hls4ml: %s", line)

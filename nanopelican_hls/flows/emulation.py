"""The plain-integer emulator of a program: compiled to a library, and run."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import string
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.execution import port_arrays
from nanopelican_hls.contract.program import Program
from nanopelican_hls.emulator.number import width
from nanopelican_hls.emulator.project import EmulatorProject, EmulatorTarget
from nanopelican_hls.emulator.source import sources
from nanopelican_hls.errors import ContractError, FirmwareError
from nanopelican_hls.files import require_exec, write_atomically, written_whole
from nanopelican_hls.flows.compiler import known_flags, require_compiler, run_compiler

COMPILER_FLAGS = ("-std=c++17", "-fPIC", "-shared", "-fno-gnu-unique")
BRIDGE = "emulator_bridge.cpp"

Arrays = Mapping[str, NDArray[np.float64]]
Integers = dict[str, NDArray[np.signedinteger]]


@dataclass(frozen=True)
class Emulator:
    """A compiled emulator.

    Attributes
    ----------
    program : the program that it computes.
    library : the shared library.
    """

    program: Program
    library: Path

    def predict(self, ports: Arrays) -> dict[str, NDArray[np.float64]]:
        """The outputs by name; arguments, result and errors as for `csimulation.predict`, on one core."""
        outputs, _ = self.run(port_arrays(self.program, ports), traced=False)
        return self._reals(outputs)

    def trace(self, ports: Arrays) -> dict[str, NDArray[np.float64]]:
        """Every tensor by name; otherwise as `predict`."""
        _, tensors = self.run(port_arrays(self.program, ports), traced=True)
        return self._reals(tensors)

    def port_integers(self, ports: Arrays) -> Integers:
        """The integers of the ports, in their types of the header; arguments and errors as for `predict`."""
        arrays = port_arrays(self.program, ports)
        return {
            port.name: port.quantiser.integers(arrays[port.name]).astype(self._type(port.tensor))
            for port in self.program.inputs
        }

    def run(self, arrays: Mapping[str, NDArray[np.generic]], *, traced: bool) -> tuple[Integers, Integers]:
        """Integers of outputs and, if traced, of all tensors.

        Parameters
        ----------
        arrays : mapping of str to array [n, ...]
            By port, C-contiguous: all float64, or all as from `port_integers`.
        traced : bool

        Raises
        ------
        ContractError
            If an array has another type or layout.
        """
        inputs = [arrays[port.name] for port in self.program.inputs]
        self._check(inputs)
        outputs = self._empty([port.tensor for port in self.program.outputs], len(inputs[0]))
        tensors = self._empty(list(self.program.ranges), len(inputs[0])) if traced else {}
        function = _function(self.library, "run_reals" if inputs[0].dtype == np.float64 else "run_integers")
        pointers = [_pointers(a) if a else None for a in (inputs, list(outputs.values()), list(tensors.values()))]
        function(len(inputs[0]), *pointers)
        return outputs, tensors

    def _check(self, inputs: Sequence[NDArray[np.generic]]) -> None:
        real = inputs[0].dtype == np.float64
        for port, array in zip(self.program.inputs, inputs, strict=True):
            wanted = np.dtype(np.float64) if real else self._type(port.tensor)
            shape = (len(inputs[0]), *port.shape)
            if array.dtype != wanted or array.shape != shape or not array.flags.c_contiguous:
                raise ContractError(
                    f"is {array.dtype} of shape {array.shape}, expected {wanted} of shape {shape}, C-contiguous",
                    where=f"port {port.name!r}",
                    remedy="pass the arrays of port_arrays, or of port_integers",
                )

    def _empty(self, tensors: Sequence[str], jets: int) -> Integers:
        return {t: np.empty((jets, *self.program.shapes[t]), self._type(t)) for t in tensors}

    def _type(self, tensor: str) -> np.dtype[np.signedinteger]:
        return np.dtype(f"i{width(self.program.ranges[tensor]) // 8}")

    def _reals(self, integers: Integers) -> dict[str, NDArray[np.float64]]:
        return {t: np.ldexp(array.astype(np.float64), self.program.exponent(t)) for t, array in integers.items()}


def compile_emulator(project: EmulatorProject, *, optimisation: str = "-O3") -> Emulator:
    """Compile an emulator with g++, or with the compiler that the variable CXX names.

    Parameters
    ----------
    project : EmulatorProject
        From `EmulatorTarget`.
    optimisation : str
        Optimisation flag of the compiler.

    Raises
    ------
    FirmwareError
        If the compiler is missing, or the sources do not compile (with the first error).
    """
    require_exec(project.path, FirmwareError)
    compiler = require_compiler()
    command = [compiler, *known_flags(compiler, COMPILER_FLAGS), optimisation]
    bridge = string.Template((resources.files("nanopelican_hls") / "flows" / BRIDGE).read_text(encoding="utf-8"))
    write_atomically(project.path / BRIDGE, bridge.substitute(name=project.name), FirmwareError)
    digest = hashlib.sha256(" ".join(command).encode())
    names = [f"{project.name}.h", f"{project.name}.cpp", BRIDGE]
    for name in names:
        digest.update((project.path / name).read_bytes())
    library = project.path / f"{project.name}-{digest.hexdigest()[:16]}.so"
    if not library.exists():
        with written_whole(library, FirmwareError) as temporary:
            run_compiler([*command, *names[1:], "-o", str(temporary)], project.path, "compile.log")
    return Emulator(project.program, library)


def emulate(program: Program | str | Path, ports: Arrays, *, tensors: bool = False) -> dict[str, NDArray[np.float64]]:
    """Run a program's plain-integer emulator, which is compiled once and kept in the user's cache.

    Parameters
    ----------
    program : Program or path
        A program, or the path of a QONNX file.
    ports : mapping of str to float64 array [n, ...]
        Keyed by graph input; the suffix ``_in`` may be left out. They are rounded and saturate as at the ports.
    tensors : bool
        Return every tensor instead of the outputs.

    Returns
    -------
    dict of str to float64 array [n, ...]

    Raises
    ------
    ContractError
        If the file violates the contract, or a port is missing, has the wrong shape, or holds NaN or infinity.
    FirmwareError
        If the emulator cannot be written, compiled or loaded.
    """
    emulator = _cached(Program.of(program))
    return emulator.trace(ports) if tensors else emulator.predict(ports)


@functools.lru_cache(maxsize=32)
def _cached(program: Program) -> Emulator:
    """The emulator of a program in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nanopelican-hls"
    text = sources(program)
    path = cache / f"emulator-{hashlib.sha256((text.header + text.source).encode()).hexdigest()[:16]}"
    try:
        if not path.exists():
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                EmulatorTarget().write(program, Path(folder) / path.name).path.rename(path)
    except OSError as error:
        if not path.exists():  # else another process made it just now
            raise FirmwareError(
                f"cannot be written ({error.strerror})",
                where=str(cache),
                remedy="name a folder in the variable XDG_CACHE_HOME",
            ) from error
    return compile_emulator(EmulatorProject(program, path, EmulatorTarget.name))


def _pointers(arrays: Sequence[NDArray[np.generic]]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))


@functools.cache
def _function(library: Path, name: str) -> Callable[..., None]:
    try:
        function = getattr(ctypes.CDLL(str(library)), name)
    except OSError as error:
        raise FirmwareError(f"cannot be loaded ({error})", where=str(library), remedy="compile again") from error
    function.restype = None
    function.argtypes = [ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    found: Callable[..., None] = function
    return found

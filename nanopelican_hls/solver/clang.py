"""clang, as a front end: C++ to LLVM IR without loops and calls."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from nanopelican_hls.errors import SolverError

#: newest first; older ones write pointers with types
VERSIONS = range(21, 14, -1)
#: names of values, to tell in errors; what is not initialised has a pattern, or LLVM would take what suits it
FRONT_END = (
    *("-O3", "-w", "-DNDEBUG", "-fno-exceptions", "-fno-discard-value-names", "-Xclang", "-disable-llvm-passes"),
    "-ftrivial-auto-var-init=pattern",
)
#: no vector instructions
OPTIMISER = (
    *("-O3", "-w", "-fno-vectorize", "-fno-slp-vectorize", "-fno-discard-value-names"),
    *("-mllvm", "-inline-threshold=100000000", "-mllvm", "-unroll-threshold=100000000"),
    # choices between values rather than branches
    *("-mllvm", "-phi-node-folding-threshold=1000", "-mllvm", "-two-entry-phi-node-folding-threshold=1000"),
    *("-mllvm", "-jump-threading-threshold=0"),
    *("-mllvm", "-unroll-max-count=1000000", "-mllvm", "-unroll-full-max-count=1000000"),
)
#: seconds after which clang is stopped
LIMIT_S = 600


def find_clang() -> str | None:
    """Path of clang++ 15 or later; None if there is none."""
    for name in [f"clang++-{version}" for version in VERSIONS]:
        if path := shutil.which(name):
            return path
    path = shutil.which("clang++")
    if path is None:
        return None
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+)", version)
    return path if found and int(found[1]) in VERSIONS else None


def require_clang() -> str:
    """Path of clang++ 15 or later; a SolverError if there is none."""
    path = find_clang()
    if path is None:
        raise SolverError(
            f"clang++ {VERSIONS[-1]} or later is not on the PATH",
            where="proof for all inputs",
            remedy="install it (Debian, Ubuntu: apt-get install clang-16)",
        )
    return path


def clang_version() -> str:
    """What clang++ says of its version; a SolverError if there is none."""
    result = subprocess.run([require_clang(), "--version"], capture_output=True, text=True, check=False)
    return result.stdout.partition("\n")[0]


def loop_free(source: Path, flags: Sequence[str]) -> str:
    """LLVM IR of a C++ file, with all calls inlined and all loops unrolled.

    ap_types and hls4ml mark values as volatile to keep the vendor's compiler from removing them; that is undone first.

    Parameters
    ----------
    source : Path
        The IR is written next to it.
    flags : sequence of str
        Of the front end: language, folders, definitions.

    Raises
    ------
    SolverError
        If there is no clang, or it fails.
    """
    clang = require_clang()
    unoptimised, plain, result = (source.with_suffix(suffix) for suffix in (".front.ll", ".plain.ll", ".ll"))
    emit = ("-S", "-emit-llvm", "-o")
    _run([clang, *FRONT_END, *flags, str(source), *emit, str(unoptimised)], source)
    plain.write_text(re.sub(r"\b(load|store) volatile ", r"\1 ", unoptimised.read_text(encoding="utf-8")), "utf-8")
    _run([clang, *OPTIMISER, "-x", "ir", str(plain), *emit, str(result)], source)
    return result.read_text(encoding="utf-8")


def _run(command: list[str], source: Path) -> None:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise SolverError(
            f"clang takes more than {LIMIT_S} s", where=str(source), remedy="prove it at a smaller size"
        ) from error
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if "error" in line] or ["no message"]
        raise SolverError(f"does not compile ({lines[0]})", where=str(source), remedy="see what clang says of it")

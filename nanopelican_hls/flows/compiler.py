"""The C++ compiler: how it is found and run, and how its errors are reported."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.processes import run_child

logger = logging.getLogger(__name__)

COMPILER = "g++"
#: flags of g++ that clang++ does not know, and does not need
GCC_ONLY = ("-fno-gnu-unique",)


def require_compiler() -> str:
    """Path of the C++ compiler, g++ or what the variable CXX names; a FirmwareError if it is not installed."""
    name = os.environ.get("CXX") or COMPILER
    compiler = shutil.which(name)
    if compiler is None:
        raise FirmwareError(
            "not found on the PATH",
            where=name if name == COMPILER else f"CXX={name}",
            remedy=f"install {COMPILER} (Debian, Ubuntu: apt-get install g++), or name a compiler in the variable CXX",
        )
    return compiler


def known_flags(compiler: str, flags: Sequence[str]) -> list[str]:
    """The flags without those that only g++ knows, if the compiler is clang++; a FirmwareError if it does not run."""
    try:
        version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError as error:
        raise FirmwareError(
            f"cannot be run ({error.strerror})", where=compiler, remedy="name a C++ compiler in the variable CXX"
        ) from error
    return [flag for flag in flags if flag not in GCC_ONLY or "clang" not in version]


def run_compiler(command: list[str], path: Path, log_name: str) -> None:
    """Run a compiler in a project folder, with all output in a log file there; a FirmwareError if it fails."""
    logger.info("%s", " ".join(command))
    result = run_child(command, cwd=path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log = path / log_name
    log.write_text(" ".join(command) + "\n" + result.stdout, encoding="utf-8")
    rejected = re.search(r"(?:unrecognized|unknown|unsupported).*?(?:option|argument)[^\n]*", result.stdout)
    if result.returncode and rejected:
        raise FirmwareError(
            f"does not know a flag: {rejected[0]}",
            where=command[0],
            remedy="use g++ 9 or later, or clang++, by the variable CXX",
        )
    if result.returncode:
        raise FirmwareError(
            f"does not compile (exit status {result.returncode}): {first_error(result.stdout)}",
            where=str(path),
            remedy=f"see {log}",
        )


def first_error(output: str) -> str:
    """The first line in the output of a compiler or test bench that states an error."""
    lines = output.splitlines()
    # the linker states the reason before its driver prints "error"
    errors = [line for line in lines if re.search(r"\berror\b|No space left|final link failed", line)]
    return (errors or lines or ["no output"])[0].strip()

"""The C++ compiler: how it is found and run, and how its errors are reported."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
from pathlib import Path

from nanopelican_hls.errors import FirmwareError

logger = logging.getLogger(__name__)

COMPILER = "g++"


def require_compiler() -> str:
    """Path of the C++ compiler; a FirmwareError if it is not installed."""
    compiler = shutil.which(COMPILER)
    if compiler is None:
        raise FirmwareError(
            "not found on the PATH", where=COMPILER, remedy=f"install {COMPILER} (Debian, Ubuntu: apt-get install g++)"
        )
    return compiler


def run_compiler(command: list[str], path: Path, log_name: str) -> None:
    """Run a compiler in a project folder, with all output in a log file there; a FirmwareError if it fails."""
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
    """The first line in the output of a compiler or test bench that states an error."""
    lines = output.splitlines()
    # the linker states the reason before its driver prints "error"
    errors = [line for line in lines if re.search(r"\berror\b|No space left|final link failed", line)]
    return (errors or lines or ["no output"])[0].strip()

"""The C++ compiler: found, run with its output in a log, and asked for the line that says what is wrong."""

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

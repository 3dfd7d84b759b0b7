"""What every test begins with."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nanopelican_hls.flows import csimulation, emulation
from nanopelican_hls.flows.compiler import run_compiler


@pytest.fixture(autouse=True)
def levels_of_our_loggers() -> None:
    """A command sets them for its process (`--quiet`): tests that call it in theirs would silence those after."""
    for name in ("nanopelican_hls", "nanopelican_hls.jets"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture(autouse=True, scope="session")
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Libraries of the same sources, by the digest in their names, are compiled once for all tests of a run.

    Compilers take a large part of the suite's time, and many tests build the same models.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # beside the folders of the workers, which share it
        folder = folder.parent
    kept = folder / "compiled"
    kept.mkdir(exist_ok=True)

    def compiled(command: list[str], path: Path, log_name: str) -> None:
        library = Path(command[-1])
        digest = re.search(r"-[0-9a-f]{16}\.so", library.name)
        if digest is None:
            run_compiler(command, path, log_name)
            return
        stored = kept / digest[0][1:]
        if not stored.exists():
            run_compiler(command, path, log_name)
            unfinished = stored.with_suffix(f".{os.getpid()}")
            shutil.copy(library, unfinished)
            unfinished.rename(stored)
            return
        (path / log_name).write_text(f"{' '.join(command)}\n", encoding="utf-8")
        shutil.copy(stored, library)

    with pytest.MonkeyPatch.context() as patch:
        for flow in (csimulation, emulation):
            patch.setattr(flow, "run_compiler", compiled)
        yield

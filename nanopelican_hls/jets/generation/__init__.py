"""Generation of jets with Pythia 8, FastJet and an emulation of Delphes (docs/generation.md)."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.generation.processes import PROCESSES, Process
from nanopelican_hls.jets.generation.recipe import ChunkKey, Recipe

__all__ = ["PROCESSES", "ChunkKey", "Process", "Recipe", "generate_jets"]

_NEEDED = ("pythia8mc", "fastjet", "awkward")


def generate_jets(
    recipe: Recipe,
    output: str | Path,
    *,
    jobs: int = 1,
    dask_client: Any = None,
    force: bool = False,
    progress: bool = False,
) -> None:
    """Generate a sample into one HDF5 file, in the layout that `read_jets` reads.

    Chunks are kept in ``<output>.chunks/`` until the file is there: a run that was killed goes on where it was, and
    gives the same bytes as one that was not.

    Parameters
    ----------
    jobs : int
        Processes on this machine.
    dask_client : distributed.Client, optional
        A cluster to use instead, whose machines share the folder of the output.
    force : bool
        Whether an output that exists is replaced.

    Raises
    ------
    JetsError
        If the optional packages are missing, the output exists, or cannot be written.
    """
    from nanopelican_hls.jets.generation.merge import merge
    from nanopelican_hls.jets.generation.running import generate_chunks

    output = Path(output)
    require(*_NEEDED)
    if jobs < 1:
        raise JetsError(f"cannot run {jobs} processes", where="jobs", remedy="ask for at least 1")
    if output.is_dir():
        raise JetsError("is a folder", where=str(output), remedy="give the name of a file")
    if output.exists() and not force:
        raise JetsError("exists already", where=str(output), remedy="choose another name, or replace it with --force")
    if not output.parent.is_dir():
        raise JetsError("the folder does not exist", where=str(output), remedy="create it")
    folder = output.with_name(f"{output.name}.chunks")
    merge(recipe, generate_chunks(recipe, folder, jobs=jobs, dask_client=dask_client, progress=progress), output)
    shutil.rmtree(folder)


def require(*packages: str) -> None:
    """Import packages of the extra ``generate``.

    Raises
    ------
    JetsError
        If one is missing.
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise JetsError(
                f"generating jets needs the package {package} ({error})",
                remedy="install it: pip install nanopelican-hls[generate]",
            ) from error

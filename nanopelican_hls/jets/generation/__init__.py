"""Generation of jets with Pythia 8, FastJet and an emulation of Delphes (docs/generation.md)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import JetsError
from nanopelican_hls.extras import require
from nanopelican_hls.jets.generation.processes import PROCESSES, Process
from nanopelican_hls.jets.generation.recipe import ChunkKey, Recipe
from nanopelican_hls.progress import SILENT, Progress

__all__ = ["PROCESSES", "ChunkKey", "Process", "Recipe", "generate_jets"]

_NEEDED = ("pythia8mc", "fastjet", "awkward")


def generate_jets(
    recipe: Recipe,
    output: str | Path,
    *,
    jobs: int = 1,
    dask_client: Any = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> None:
    """Generate a sample into one HDF5 file, in the layout that `read_jets` reads.

    Chunks are kept in ``<output>.chunks/`` until the file is complete: an interrupted run resumes where it stopped, and
    its file has the same bytes as that of an uninterrupted one.

    Parameters
    ----------
    recipe : Recipe
        Definition of the sample.
    output : str or Path
        The file to write.
    jobs : int
        Number of processes on this machine.
    dask_client : distributed.Client, optional
        Client of a cluster to use instead; its machines must share the output folder.
    force : bool
        Whether to replace an existing output.
    progress : Progress
        In jets.

    Raises
    ------
    JetsError
        If optional packages are missing, the output exists, or it cannot be written.
    """
    from nanopelican_hls.jets.generation.merge import merge
    from nanopelican_hls.jets.generation.running import generate_chunks

    output = Path(output)
    for package in _NEEDED:
        require(package, "generating jets", JetsError)
    if jobs < 1:
        raise JetsError(f"cannot run {jobs} processes", where="jobs", remedy="ask for at least 1")
    if output.is_dir():
        raise JetsError("is a folder", where=str(output), remedy="choose a file name")
    if output.exists() and not force:
        raise JetsError("already exists", where=str(output), remedy="choose another name, or replace it with --force")
    if not output.parent.is_dir():
        raise JetsError("the folder does not exist", where=str(output), remedy="create it")
    folder = output.with_name(f"{output.name}.chunks")
    merge(recipe, generate_chunks(recipe, folder, jobs=jobs, dask_client=dask_client, progress=progress), output)
    shutil.rmtree(folder)

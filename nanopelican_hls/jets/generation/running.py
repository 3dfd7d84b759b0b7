"""Running the chunks of a recipe, in processes on this machine or on a cluster through dask.distributed."""

from __future__ import annotations

import concurrent.futures
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import JetsError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.jets.generation.chunks import chunk_path, fingerprint, write_chunk
from nanopelican_hls.jets.generation.recipe import ChunkKey, Recipe
from nanopelican_hls.processes import worker_pool
from nanopelican_hls.progress import SILENT, Progress

#: file in the folder of chunks that records what they were made from
_FINGERPRINT = "recipe.json"


def generate_chunks(
    recipe: Recipe, folder: Path, *, jobs: int = 1, dask_client: Any = None, progress: Progress = SILENT
) -> list[Path]:
    """Make the missing chunks of a recipe.

    Parameters
    ----------
    recipe : Recipe
        Definition of the sample.
    folder : Path
        Where chunks are kept; must be the same folder on all machines of the cluster.
    jobs : int
        Number of processes on this machine; not used with a cluster.
    dask_client : distributed.Client, optional
        Client of the cluster.
    progress : Progress
        In jets.

    Returns
    -------
    list of Path
        The files of all chunks, in the order of `Recipe.chunks`.

    Raises
    ------
    JetsError
        If the folder holds chunks of another recipe, or a chunk cannot be made or written.
    """
    _claim(folder, recipe)
    keys = recipe.chunks()
    missing = [key for key in keys if not chunk_path(folder, key).is_file()]
    runner = _on_cluster(dask_client, recipe, folder, missing) if dask_client else _here(recipe, folder, missing, jobs)
    progress.skip(recipe.jets - sum(key.jets for key in missing))
    for key in runner:
        progress.update(key.jets)
    return [chunk_path(folder, key) for key in keys]


def _claim(folder: Path, recipe: Recipe) -> None:
    """Claim a folder for the recipe, or check that it already belongs to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        marker = folder / _FINGERPRINT
        if not marker.is_file():
            write_atomically(marker, json.dumps({"fingerprint": fingerprint(recipe)}) + "\n", JetsError)
        found = json.loads(marker.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JetsError(
            f"cannot be used for chunks ({error})", where=str(folder), remedy="choose another folder"
        ) from error
    if found != {"fingerprint": fingerprint(recipe)}:
        raise JetsError(
            "holds chunks of another recipe, or of other versions of Pythia, FastJet or numpy",
            where=str(folder),
            remedy="remove the folder, or choose another output",
        )


def _here(recipe: Recipe, folder: Path, keys: list[ChunkKey], jobs: int) -> Iterator[ChunkKey]:
    if jobs == 1 or len(keys) < 2:
        for key in keys:
            write_chunk(folder, recipe, key)
            yield key
        return
    with worker_pool(min(jobs, len(keys))) as pool:
        futures = {pool.submit(write_chunk, folder, recipe, key): key for key in keys}
        for future in concurrent.futures.as_completed(futures):
            future.result()
            yield futures[future]


def _on_cluster(client: Any, recipe: Recipe, folder: Path, keys: list[ChunkKey]) -> Iterator[ChunkKey]:
    import distributed

    futures = {
        client.submit(write_chunk, folder.absolute(), recipe, key, key=f"{key.name}-{fingerprint(recipe)}"): key
        for key in keys
    }
    for future in distributed.as_completed(list(futures), loop=client.loop):
        future.result()
        yield futures[future]

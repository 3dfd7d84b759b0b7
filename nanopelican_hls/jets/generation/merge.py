"""Merging of chunks into one file in the PELICAN layout (docs/jets.md), with the classes shuffled."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.files import written_whole
from nanopelican_hls.jets.generation.chunks import Chunk, read_chunk
from nanopelican_hls.jets.generation.processes import DEFAULT_PROCESSES, MIXING_STREAM
from nanopelican_hls.jets.generation.recipe import Recipe, provenance
from nanopelican_hls.jets.hdf5 import CHUNK_JETS
from nanopelican_hls.jets.readers.classes import CLASSES, IS_SIGNAL, LABEL

_ENTRY = {
    "Pmu": (np.float32, ("constituents", 4)),
    IS_SIGNAL: (np.int8, ()),
    "Nobj": (np.int32, ()),
    "Nobj_all": (np.int32, ()),
    "jet_Pmu": (np.float32, (4,)),
    "truth_Pmu": (np.float32, (4,)),
}


def merge(recipe: Recipe, chunks: list[Path], output: Path) -> None:
    """Write all jets to ``output``, with at most one chunk of each process in memory at once.

    Each group of chunks, one of each process, is shuffled by a permutation derived from the seed, so the first jets of
    the file are a representative sample. The file is written atomically, and equal recipes produce equal bytes.

    Raises
    ------
    JetsError
        If a chunk is damaged, or the file cannot be written.
    """
    needed = sum(path.stat().st_size for path in chunks) * 3 // 2
    with written_whole(output, JetsError) as temporary:
        # HDF5 cannot close a file cleanly on a full disk, so check first
        free = shutil.disk_usage(output.parent).free
        if free < needed:
            raise JetsError(
                f"needs about {needed >> 20} MB, but {free >> 20} MB are free",
                where=str(output),
                remedy="free some space and run the same command again: the chunks are kept",
            )
        with h5py.File(temporary, "w") as file:
            _fill(file, recipe, chunks)


def _fill(file: h5py.File, recipe: Recipe, chunks: list[Path]) -> None:
    file.attrs.update(provenance(recipe))
    if recipe.processes != DEFAULT_PROCESSES:  # keeps the bits of files made before there was a choice
        file.attrs[CLASSES] = recipe.classes
    for name, (dtype, entry) in _ENTRY.items():
        shape = tuple(recipe.n_constituents if size == "constituents" else size for size in entry)
        file.create_dataset(
            _labels(recipe) if name == IS_SIGNAL else name,
            shape=(recipe.jets, *shape),
            dtype=dtype,
            chunks=(min(CHUNK_JETS, recipe.jets), *shape),
            compression="gzip",
            compression_opts=4,
            shuffle=True,
        )
    start = 0
    events = dict.fromkeys(recipe.processes, 0)
    for index, paths in enumerate(zip(*(chunks[i :: len(events)] for i in range(len(events))), strict=True)):
        group = {process: read_chunk(path) for process, path in zip(events, paths, strict=True)}
        events = {process: events[process] + chunk.events for process, chunk in group.items()}
        arrays = _mixed(recipe, group, np.random.default_rng((recipe.seed, MIXING_STREAM, index)))
        stop = start + len(arrays["Pmu"])
        for name, values in arrays.items():
            file[name][start:stop] = values
        start = stop
    file.attrs.update({f"events_{process}": count for process, count in events.items()})


def _labels(recipe: Recipe) -> str:
    """Name of the dataset of labels."""
    return IS_SIGNAL if recipe.binary else LABEL


def _mixed(recipe: Recipe, group: dict[str, Chunk], rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    """Datasets of one chunk of each process, with the jets shuffled."""
    sizes = [len(chunk.multiplicity) for chunk in group.values()]
    order = rng.permutation(sum(sizes))

    def mixed(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(chunk, name) for chunk in group.values()])[order]

    four_momenta = mixed("four_momenta")
    labels = np.repeat([recipe.classes.index(process) for process in group], sizes)
    return {
        "Pmu": four_momenta,
        _labels(recipe): labels.astype(np.int8)[order],
        "Nobj": np.count_nonzero(four_momenta[..., 0], axis=1).astype(np.int32),
        "Nobj_all": mixed("multiplicity"),
        "jet_Pmu": mixed("jet_four_momentum"),
        "truth_Pmu": mixed("truth_four_momentum"),
    }

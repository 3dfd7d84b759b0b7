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
from nanopelican_hls.jets.generation.recipe import Recipe, provenance
from nanopelican_hls.jets.hdf5 import CHUNK_JETS

_ENTRY = {
    "Pmu": (np.float32, ("constituents", 4)),
    "is_signal": (np.int8, ()),
    "Nobj": (np.int32, ()),
    "Nobj_all": (np.int32, ()),
    "jet_Pmu": (np.float32, (4,)),
    "truth_Pmu": (np.float32, (4,)),
}


def merge(recipe: Recipe, chunks: list[Path], output: Path) -> None:
    """Write all jets to ``output``, with at most two chunks in memory at once.

    Each pair of chunks, top and QCD, is shuffled by a permutation derived from the seed, so the first jets of the file
    are a representative sample. The file is written atomically, and equal recipes produce equal bytes.

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
    for name, (dtype, entry) in _ENTRY.items():
        shape = tuple(recipe.n_constituents if size == "constituents" else size for size in entry)
        file.create_dataset(
            name,
            shape=(recipe.jets, *shape),
            dtype=dtype,
            chunks=(min(CHUNK_JETS, recipe.jets), *shape),
            compression="gzip",
            compression_opts=4,
            shuffle=True,
        )
    start = 0
    events = {"top": 0, "qcd": 0}
    for index, (top, qcd) in enumerate(zip(chunks[::2], chunks[1::2], strict=True)):
        pair = read_chunk(top), read_chunk(qcd)
        events = {name: events[name] + chunk.events for name, chunk in zip(events, pair, strict=True)}
        arrays = _mixed(*pair, np.random.default_rng((recipe.seed, 2, index)))
        stop = start + len(arrays["Pmu"])
        for name, values in arrays.items():
            file[name][start:stop] = values
        start = stop
    file.attrs.update({f"events_{name}": count for name, count in events.items()})


def _mixed(top: Chunk, qcd: Chunk, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    """Datasets of two chunks, with the jets shuffled."""
    pair = (top, qcd)
    sizes = [len(chunk.multiplicity) for chunk in pair]
    order = rng.permutation(sum(sizes))
    four_momenta = np.concatenate([chunk.four_momenta for chunk in pair])[order]
    return {
        "Pmu": four_momenta,
        "is_signal": np.repeat([1, 0], sizes).astype(np.int8)[order],
        "Nobj": np.count_nonzero(four_momenta[..., 0], axis=1).astype(np.int32),
        "Nobj_all": np.concatenate([chunk.multiplicity for chunk in pair])[order],
        "jet_Pmu": np.concatenate([chunk.jet_four_momentum for chunk in pair])[order],
        "truth_Pmu": np.concatenate([chunk.truth_four_momentum for chunk in pair])[order],
    }

"""Chunks, the unit of work: a chunk has the same bits wherever it is made."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.files import written_whole
from nanopelican_hls.jets.generation.detector import energy_flow
from nanopelican_hls.jets.generation.events import Events
from nanopelican_hls.jets.generation.processes import PROCESSES
from nanopelican_hls.jets.generation.recipe import ChunkKey, Recipe, provenance
from nanopelican_hls.jets.generation.selection import FoundJet, select_jets

#: events per batch: enough for numpy to be efficient
MAX_BATCH_EVENTS = 400
#: size of the first batch, while the fraction of selected events is not yet known
FIRST_BATCH_EVENTS, FIRST_BATCH_EVENTS_PER_JET = 100, 5


@dataclass(frozen=True)
class Chunk:
    """Jets of one process, in the order in which they were found.

    ``four_momenta`` float32 [n, N, 4], zero-padded; ``jet_four_momentum`` and ``truth_four_momentum`` float32 [n, 4];
    ``multiplicity`` int32 [n] before the cut at N constituents. ``events`` counts those that Pythia started,
    ``hadronised`` those that it finished.
    """

    four_momenta: NDArray[np.float32]
    jet_four_momentum: NDArray[np.float32]
    truth_four_momentum: NDArray[np.float32]
    multiplicity: NDArray[np.int32]
    events: int
    hadronised: int


def make_chunk(recipe: Recipe, key: ChunkKey) -> Chunk:
    """Generate the jets of a chunk.

    Raises
    ------
    JetsError
        If Pythia rejects the settings.
    """
    events = Events(recipe, key)
    rng = np.random.default_rng(recipe.seed_sequence(key))
    found: list[FoundJet] = []
    hadronised = 0
    batch_events = min(FIRST_BATCH_EVENTS, FIRST_BATCH_EVENTS_PER_JET * key.jets)
    while len(found) < key.jets:
        batch = events.batch(batch_events)
        objects = energy_flow(events.stable(batch), recipe.detector, rng)
        found += select_jets(batch, objects, recipe, PROCESSES[key.process])
        hadronised += batch_events
        # just enough for the missing jets: events after the last jet are discarded
        missing = (key.jets - len(found)) * hadronised / max(1, len(found))
        batch_events = int(np.clip(1.02 * missing, 10, MAX_BATCH_EVENTS))
    return _as_chunk(found[: key.jets], recipe.n_constituents, events.seen, hadronised)


def _as_chunk(found: list[FoundJet], n_constituents: int, events: int, hadronised: int) -> Chunk:
    four_momenta = np.zeros((len(found), n_constituents, 4), np.float32)
    for row, jet in zip(four_momenta, found, strict=True):
        kept = jet.constituents[:n_constituents]
        row[: len(kept)] = kept
    return Chunk(
        four_momenta=four_momenta,
        jet_four_momentum=np.array([jet.momentum for jet in found], np.float32),
        truth_four_momentum=np.array([jet.truth for jet in found], np.float32),
        multiplicity=np.array([len(jet.constituents) for jet in found], np.int32),
        events=events,
        hadronised=hadronised,
    )


def fingerprint(recipe: Recipe) -> str:
    """Hash of everything that determines the bits of a chunk: the recipe without its size, the card, and versions."""
    content = {**provenance(dataclasses.replace(recipe, jets=len(recipe.processes))), "chunk_jets": recipe.chunk_jets}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def chunk_path(folder: Path, key: ChunkKey) -> Path:
    """File of a chunk; the name includes the size, since the last chunk depends on the size of the sample."""
    return folder / f"{key.name}-{key.jets}.npz"


def write_chunk(folder: Path, recipe: Recipe, key: ChunkKey) -> Path:
    """Make a chunk, unless its file exists, and write it atomically.

    Raises
    ------
    JetsError
        If it cannot be made or written.
    """
    path = chunk_path(folder, key)
    if path.is_file():
        return path
    chunk = make_chunk(recipe, key)
    with written_whole(path, JetsError) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **dataclasses.asdict(chunk))
        file.flush()
        os.fsync(file.fileno())
    return path


def read_chunk(path: Path) -> Chunk:
    """Read a chunk.

    Raises
    ------
    JetsError
        If the file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            content: dict[str, Any] = dict(arrays)
            content |= {name: int(content[name]) for name in ("events", "hadronised")}
            return Chunk(**content)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise JetsError(
            f"is damaged ({error})", where=str(path), remedy="delete it; the next run will make it again"
        ) from error

"""Definition of a generated sample: physics, selection, size and seed, all recorded in the attributes of the file."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

import numpy as np

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.generation.cards import CARDS, DEFAULT_CARD, Card
from nanopelican_hls.jets.generation.processes import BACKGROUND, DEFAULT_PROCESSES, PROCESSES
from nanopelican_hls.versions import versions

#: largest seed that Pythia accepts
MAX_PYTHIA_SEED = 900_000_000
#: packages whose version affects the jets
_VERSIONED = ("pythia8mc", "fastjet", "numpy")


@dataclass(frozen=True)
class ChunkKey:
    """One unit of work: ``jets`` jets of one process, with a seed of its own."""

    process: str
    index: int
    jets: int

    @property
    def name(self) -> str:
        return f"{self.process}-{self.index:05d}"


@dataclass(frozen=True)
class Recipe:
    """A sample with equally many jets of each process; equal recipes produce equal files.

    Parameters
    ----------
    jets : int
        Total number of jets of all processes, a multiple of the number of processes.
    seed : int
        Determines all random numbers, together with the process and index of the chunk.
    chunk_jets : int
        Jets per chunk, the most that an interruption can cost a process.
    n_constituents : int
        Leading constituents kept in the file.
    card : str
        Detector, a key of `cards.CARDS`.
    multiple_interactions : bool
        Whether Pythia adds multiple parton interactions (the underlying event).
    sqrt_s_gev, pthat_min_gev, pthat_max_gev : float
        Energy of the pp collision, and pT range of the hard process.
    radius, pt_min_gev, pt_max_gev, eta_max : float
        Anti-kT radius, and selection of the leading jet of the event. A top and its three quarks must be within
        `radius` of the jet.
    processes : tuple of str
        Keys of `processes.PROCESSES`.

    Raises
    ------
    JetsError
        If a number is out of range, or the card or a process is unknown.
    """

    jets: int
    seed: int = 1
    chunk_jets: int = 1000
    n_constituents: int = 200
    card: str = DEFAULT_CARD
    multiple_interactions: bool = False
    sqrt_s_gev: float = 14_000.0
    pthat_min_gev: float = 425.0
    pthat_max_gev: float = 1000.0
    radius: float = 0.8
    pt_min_gev: float = 550.0
    pt_max_gev: float = 650.0
    eta_max: float = 2.0
    processes: tuple[str, ...] = DEFAULT_PROCESSES

    def __post_init__(self) -> None:
        object.__setattr__(self, "processes", tuple(self.processes))
        _check_processes(self.processes)
        n = len(self.processes)
        if self.jets < n or self.jets % n:
            raise JetsError(
                f"{self.jets} jets cannot be divided equally among {', '.join(self.processes)}",
                remedy=f"ask for {n}, {2 * n}, {3 * n}, ...",
            )
        for name in ("chunk_jets", "n_constituents"):
            if getattr(self, name) < 1:
                raise JetsError(
                    f"must be at least 1, not {getattr(self, name)}",
                    where=name,
                    remedy="give such a number (docs/jets.md)",
                )
        if self.seed < 0:
            raise JetsError(
                f"must not be negative, but is {self.seed}", where="seed", remedy="give such a number (docs/jets.md)"
            )
        for name, low, high in (
            ("pthat", self.pthat_min_gev, self.pthat_max_gev),
            ("pt", self.pt_min_gev, self.pt_max_gev),
        ):
            if not 0 < low < high:
                raise JetsError(
                    f"the range {low:g} to {high:g} is empty", where=name, remedy="give the smaller end first"
                )
        for name in ("sqrt_s_gev", "radius", "eta_max"):
            if not getattr(self, name) > 0:
                raise JetsError(
                    f"must be positive, not {getattr(self, name):g}",
                    where=name,
                    remedy="give such a number (docs/jets.md)",
                )
        if self.card not in CARDS:
            raise JetsError(f"is unknown: {self.card!r}", where="card", remedy=f"use one of {', '.join(CARDS)}")

    @property
    def detector(self) -> Card:
        return CARDS[self.card]

    @property
    def binary(self) -> bool:
        """Whether the labels are signal and background: QCD and one other process."""
        return len(self.processes) == 2 and BACKGROUND in self.processes

    @property
    def classes(self) -> tuple[str, ...]:
        """Processes in the order of their labels."""
        return tuple(sorted(self.processes, key=lambda name: name != BACKGROUND)) if self.binary else self.processes

    def chunks(self) -> list[ChunkKey]:
        """All chunks, one of each process in turn; the last ones may be smaller."""
        each = self.jets // len(self.processes)
        sizes = [min(self.chunk_jets, each - start) for start in range(0, each, self.chunk_jets)]
        return [ChunkKey(process, i, size) for i, size in enumerate(sizes) for process in self.processes]

    def seed_sequence(self, key: ChunkKey) -> np.random.SeedSequence:
        """Random seed of a chunk, the same wherever it is made."""
        return np.random.SeedSequence((self.seed, PROCESSES[key.process].stream, key.index))

    def pythia_settings(self, key: ChunkKey) -> tuple[str, ...]:
        """All Pythia 8 settings of a chunk, except for what it prints."""
        pythia_seed = 1 + int(self.seed_sequence(key).generate_state(1)[0]) % MAX_PYTHIA_SEED
        return (
            *self.physics_settings(key.process),
            "Random:setSeed = on",
            f"Random:seed = {pythia_seed}",
        )

    def physics_settings(self, process: str) -> tuple[str, ...]:
        """Pythia 8 settings that define the physics; everything else is default (Monash tune)."""
        return (
            f"Beams:eCM = {self.sqrt_s_gev}",
            f"PartonLevel:MPI = {'on' if self.multiple_interactions else 'off'}",
            *PROCESSES[process].settings,
            f"PhaseSpace:pTHatMin = {self.pthat_min_gev}",
            f"PhaseSpace:pTHatMax = {self.pthat_max_gev}",
        )


def _check_processes(names: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in PROCESSES]
    if unknown or not names:
        raise JetsError(
            f"is unknown: {', '.join(map(repr, unknown))}" if unknown else "names none",
            where="processes",
            remedy=f"use some of {', '.join(PROCESSES)}",
        )
    if len({PROCESSES[name].stream for name in names}) < len(names):
        raise JetsError(f"names one twice: {', '.join(names)}", where="processes", remedy="name each once")


def provenance(recipe: Recipe) -> dict[str, str | int]:
    """How the sample is made, as attributes of its file: integers, words, or JSON."""
    content = dataclasses.asdict(recipe)
    if recipe.processes == DEFAULT_PROCESSES:  # keeps the bits of files and chunks made before there was a choice
        del content["processes"]
    matched = [PROCESSES[name].selection for name in recipe.processes if PROCESSES[name].selection]
    return {
        "generator": "nanopelican jets generate",
        "recipe": json.dumps(content),
        "seed": recipe.seed,
        "pythia_settings": json.dumps({name: recipe.physics_settings(name) for name in recipe.processes}),
        "selection": "; ".join(["leading anti-kT jet of the event", *matched]),
        "card": json.dumps(dataclasses.asdict(recipe.detector)),
        "versions": json.dumps(versions(_VERSIONED)),
    }

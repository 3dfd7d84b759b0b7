"""Definition of a generated sample: physics, selection, size and seed, all recorded in the attributes of the file."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import Enum

import numpy as np

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.generation.cards import CARDS, DEFAULT_CARD, Card
from nanopelican_hls.versions import versions

#: largest seed that Pythia accepts
MAX_PYTHIA_SEED = 900_000_000
#: packages whose version affects the jets
_VERSIONED = ("pythia8mc", "fastjet", "numpy")


class JetClass(str, Enum):
    """Process that produces a jet; the value is the stem of its chunk files."""

    TOP = "top"  #: ttbar, all-hadronic
    QCD = "qcd"  #: dijets

    @property
    def label(self) -> int:
        """``is_signal`` of its jets."""
        return int(self is JetClass.TOP)

    @property
    def settings(self) -> tuple[str, ...]:
        """Pythia 8 settings that select the process."""
        if self is JetClass.QCD:
            return ("HardQCD:all = on",)
        return ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "24:onMode = off", "24:onIfAny = 1 2 3 4 5")


@dataclass(frozen=True)
class ChunkKey:
    """One unit of work: ``jets`` jets of one class, with a seed of its own."""

    jet_class: JetClass
    index: int
    jets: int

    @property
    def name(self) -> str:
        return f"{self.jet_class.value}-{self.index:05d}"


@dataclass(frozen=True)
class Recipe:
    """A sample, half top and half QCD; equal recipes produce equal files.

    Parameters
    ----------
    jets : int
        Total number of jets of both classes, even.
    seed : int
        Determines all random numbers, together with the class and index of the chunk.
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

    Raises
    ------
    JetsError
        If a number is out of range or the card is unknown.
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

    def __post_init__(self) -> None:
        if self.jets < 2 or self.jets % 2:
            raise JetsError(f"{self.jets} jets cannot be half top and half QCD", remedy="ask for an even number")
        for name in ("chunk_jets", "n_constituents"):
            if getattr(self, name) < 1:
                raise JetsError(f"must be at least 1, not {getattr(self, name)}", where=name)
        if self.seed < 0:
            raise JetsError(f"must not be negative, but is {self.seed}", where="seed")
        for name, low, high in (
            ("pthat", self.pthat_min_gev, self.pthat_max_gev),
            ("pt", self.pt_min_gev, self.pt_max_gev),
        ):
            if not 0 < low < high:
                raise JetsError(f"the range {low:g} to {high:g} is empty", where=name)
        for name in ("sqrt_s_gev", "radius", "eta_max"):
            if not getattr(self, name) > 0:
                raise JetsError(f"must be positive, not {getattr(self, name):g}", where=name)
        if self.card not in CARDS:
            raise JetsError(f"is unknown: {self.card!r}", where="card", remedy=f"use one of {', '.join(CARDS)}")

    @property
    def detector(self) -> Card:
        return CARDS[self.card]

    def chunks(self) -> list[ChunkKey]:
        """All chunks, top and QCD alternating; the last two may be smaller."""
        per_class = self.jets // 2
        sizes = [min(self.chunk_jets, per_class - start) for start in range(0, per_class, self.chunk_jets)]
        return [ChunkKey(jet_class, i, size) for i, size in enumerate(sizes) for jet_class in JetClass]

    def seed_sequence(self, key: ChunkKey) -> np.random.SeedSequence:
        """Random seed of a chunk, the same wherever it is made."""
        return np.random.SeedSequence((self.seed, key.jet_class.label, key.index))

    def pythia_settings(self, key: ChunkKey) -> tuple[str, ...]:
        """All Pythia 8 settings of a chunk, except for what it prints."""
        pythia_seed = 1 + int(self.seed_sequence(key).generate_state(1)[0]) % MAX_PYTHIA_SEED
        return (
            *self.physics_settings(key.jet_class),
            "Random:setSeed = on",
            f"Random:seed = {pythia_seed}",
        )

    def physics_settings(self, jet_class: JetClass) -> tuple[str, ...]:
        """Pythia 8 settings that define the physics; everything else is default (Monash tune)."""
        return (
            f"Beams:eCM = {self.sqrt_s_gev}",
            f"PartonLevel:MPI = {'on' if self.multiple_interactions else 'off'}",
            *jet_class.settings,
            f"PhaseSpace:pTHatMin = {self.pthat_min_gev}",
            f"PhaseSpace:pTHatMax = {self.pthat_max_gev}",
        )


def provenance(recipe: Recipe) -> dict[str, str | int]:
    """How the sample is made, as attributes of its file: integers, words, or JSON."""
    settings = {jet_class.value: recipe.physics_settings(jet_class) for jet_class in JetClass}
    return {
        "generator": "nanopelican jets generate",
        "recipe": json.dumps(dataclasses.asdict(recipe)),
        "seed": recipe.seed,
        "pythia_settings": json.dumps(settings),
        "selection": "leading anti-kT jet of the event; tops with the top and its three quarks within the radius",
        "card": json.dumps(dataclasses.asdict(recipe.detector)),
        "versions": json.dumps(versions(_VERSIONED)),
    }

"""The jets of a study: one file split in three, or a folder with three files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nanopelican_hls.errors import JetsError
from nanopelican_hls.evaluation.metrics import require_every_class
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.jets import Jets, port_values, read_jets
from nanopelican_hls.topology.config import NetworkConfig

SAMPLES = ("train", "valid", "test")
#: which jets out of every five a sample takes from a common file; this also splits files sorted by class
FIFTHS = {"train": (0, 1, 2), "valid": (3,), "test": (4,)}


@dataclass(frozen=True)
class Source:
    """Jets of a file: all, or some of every five; at most ``at_most`` of them."""

    path: Path
    fifths: tuple[int, ...] = (0, 1, 2, 3, 4)
    at_most: int | None = None
    classes: tuple[str, ...] = ()

    def read(self) -> Jets:
        """Read the labelled jets.

        Raises
        ------
        JetsError
            If the file cannot be read, has no labels, lacks a class (signal or background without ``classes``), or has
            others.
        """
        events = None if self.at_most is None else -(-5 * self.at_most // len(self.fifths))
        jets = read_jets(self.path, events=events, classes=self.classes or None)
        chosen = np.flatnonzero(np.isin(np.arange(len(jets)) % 5, self.fifths))[: self.at_most]
        jets = jets[chosen]
        require_every_class(jets.labels_of(self.classes, str(self.path)), str(self.path), self.classes)
        return jets


@dataclass(frozen=True)
class JetFiles:
    """Sources of the jets for training, validation and test."""

    train: Source
    valid: Source
    test: Source

    @classmethod
    def find(cls, path: Path, *, at_most: Mapping[str, int] | None = None) -> JetFiles:
        """Find a folder's files ``train.*``, ``valid.*`` (or ``val.*``) and ``test.*``, or use one file for all.

        Raises
        ------
        JetsError
            If the folder lacks one of them, or has two.
        """
        limits = at_most or {}
        if path.is_dir():
            sources = {name: Source(_one_of(path, name)) for name in SAMPLES}
        else:
            sources = {name: Source(path, FIFTHS[name]) for name in SAMPLES}
        return cls(**{name: replace(source, at_most=limits.get(name)) for name, source in sources.items()})

    def jets(self, name: str, classes: Sequence[str] = ()) -> Jets:
        """The jets of ``train``, ``valid`` or ``test``: of signal and background, or of these classes."""
        return _jets(replace(getattr(self, name), classes=tuple(classes)))

    def sample(self, name: str, network: NetworkConfig, smearing: float = 0.0) -> Sample:
        """The same jets as port values, which do not depend on the number of channels.

        With ``smearing``, n_jet becomes n_jet + Poisson(smearing) - smearing, rounded, but not less than the number of
        constituents at the ports; always the same for the same jets.
        """
        source = replace(getattr(self, name), classes=network.classes)
        return _sample(source, replace(network, channels=1, batch_norm=False, multiplicity_scaling=False), smearing)

    def described(self) -> dict[str, Any]:
        """Description of the jets without folders, so that results can be moved."""
        return {
            name: {"file": source.path.name, "of_every_five": list(source.fifths), "at_most": source.at_most}
            for name, source in ((name, getattr(self, name)) for name in SAMPLES)
        }


def _one_of(folder: Path, name: str) -> Path:
    stem = "val" if name == "valid" else name
    found = sorted(path for path in folder.glob(f"{stem}*") if path.is_file())
    if len(found) != 1:
        raise JetsError(
            f"has {len(found)} files {stem}*, expected one",
            where=str(folder),
            remedy="use a folder with train.h5, valid.h5 and test.h5, or one file",
        )
    return found[0]


@lru_cache(maxsize=3)
def _jets(source: Source) -> Jets:
    return source.read()


@lru_cache(maxsize=6)
def _sample(source: Source, network: NetworkConfig, smearing: float) -> Sample:
    jets = _jets(source)
    if smearing:
        jets = _smeared(jets.leading(network.n_constituents), smearing)
    assert jets.labels is not None
    return Sample(port_values(jets, network), jets.labels.astype(float))


def _smeared(jets: Jets, mean: float) -> Jets:
    added = np.random.default_rng(0).poisson(mean, len(jets)) - round(mean)
    present = np.count_nonzero(jets.four_momenta[..., 0], axis=1)
    return replace(jets, multiplicity=np.maximum(jets.multiplicity + added, present))

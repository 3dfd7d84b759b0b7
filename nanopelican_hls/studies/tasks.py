"""The tasks of a study: training one seed of a network or of a baseline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nanopelican_hls.baselines import create, train_baseline
from nanopelican_hls.config import Config, to_mapping
from nanopelican_hls.evaluation.class_metrics import class_rocs
from nanopelican_hls.evaluation.figures import figures_of, folded_figures, quantised_figures
from nanopelican_hls.evaluation.metrics import roc, save_roc
from nanopelican_hls.network.model import TrainedModel
from nanopelican_hls.progress import Progress
from nanopelican_hls.studies.files import SAMPLES, JetFiles
from nanopelican_hls.training.run_folder import RunFolder
from nanopelican_hls.training.seed_training import SeedTraining

#: by sample (valid, test), then by form (float, folded, quantised)
FiguresByForm = dict[str, dict[str, dict[str, Any]]]
#: of an epoch of the slow baselines, in the units of `Task.cost`
COSTS = {"lorentznet": 3e5, "transformer": 1e5}


class Task(ABC):
    """One training run, stored in the folder ``<name>/seed<seed>``."""

    name: str
    seed: int
    epochs: int

    @property
    @abstractmethod
    def cost(self) -> float:
        """Amount of work, in units common to all tasks."""

    @abstractmethod
    def described(self) -> dict[str, Any]:
        """Everything the result depends on except the jets, as plain values."""

    @abstractmethod
    def train(self, files: JetFiles, folder: RunFolder, *, progress: Progress) -> FiguresByForm:
        """Train, measure, and save the ROC curve on the test jets as ``roc.csv``; progress is counted in epochs.

        With several classes, that of each against all others as ``roc-<class>.csv``.

        Raises
        ------
        TrainingError
            If the loss diverges.
        """


@dataclass(frozen=True)
class NetworkTask(Task):
    """A configuration; its name is also that of the folder. ``smearing`` is that of n_jet (`JetFiles.sample`)."""

    config: Config
    seed: int
    smearing: float = 0.0

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.config.name

    @property
    def epochs(self) -> int:  # type: ignore[override]
        return self.config.training.epochs

    @property
    def cost(self) -> float:
        """Entries at pair level, plus a constant for the rest."""
        network = self.config.network
        return (network.particles**2 * (network.channels + 2) + 3000) * self.epochs

    def described(self) -> dict[str, Any]:
        smearing = {"smearing": self.smearing} if self.smearing else {}
        return {"seed": self.seed, "config": to_mapping(self.config)} | smearing

    def train(self, files: JetFiles, folder: RunFolder, *, progress: Progress) -> FiguresByForm:
        train, valid, test = (files.sample(name, self.config.network, self.smearing) for name in SAMPLES)
        checkpoint = SeedTraining(self.config, self.seed, train, valid, folder=folder, progress=progress).run()
        model = TrainedModel(checkpoint)
        logits = model.float_logits(test.values)
        measured = {"float": figures_of(self.config.network.classes, test.labels, logits).as_dict()}
        if checkpoint.description is not None:
            measured["folded"] = folded_figures(model.float_network, checkpoint.description, test).as_dict()
            measured["quantised"] = quantised_figures(model.quantised_network, test).as_dict()
        _keep_roc(folder, test.labels, logits, self.config.network.classes)
        return {**checkpoint.metrics, "test": measured}


@dataclass(frozen=True)
class BaselineTask(Task):
    """A baseline by name (`baselines.BASELINES`), of one logit or of the classes named, with options of its own."""

    name: str
    epochs: int
    seed: int
    classes: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def cost(self) -> float:
        return COSTS.get(self.name, 2e4) * self.epochs

    def described(self) -> dict[str, Any]:
        plain = {"seed": self.seed, "baseline": self.name, "epochs": self.epochs}
        several = {"classes": list(self.classes)} if self.classes else {}
        return plain | several | ({"options": dict(self.options)} if self.options else {})

    def train(self, files: JetFiles, folder: RunFolder, *, progress: Progress) -> FiguresByForm:
        folder.path.mkdir(parents=True, exist_ok=True)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        trained = train_baseline(
            create(self.name, self.seed, **dict(self.options)).to(device),
            files.jets("train", self.classes),
            files.jets("valid", self.classes),
            epochs=self.epochs,
            classes=self.classes,
            seed=self.seed,
            progress=progress,
        )
        test = files.jets("test", self.classes)
        assert test.labels is not None
        logits = trained.model.logits(test)
        _keep_roc(folder, test.labels, logits, self.classes)
        return {
            "valid": {"float": trained.figures.as_dict()},
            "test": {"float": figures_of(self.classes, test.labels, logits).as_dict()},
        }


def _keep_roc(
    folder: RunFolder, labels: NDArray[Any], logits: NDArray[np.float64], classes: Sequence[str] = ()
) -> None:
    curves = {f"-{name}": curve for name, curve in class_rocs(labels, logits, classes).items()} if classes else {}
    for name, curve in (curves or {"": roc(labels, logits)}).items():
        save_roc(curve, folder.path / f"roc{name}.csv")

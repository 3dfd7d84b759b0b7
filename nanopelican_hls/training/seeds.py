"""Training of several seeds in parallel, and selection of the best."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nanopelican_hls.config import Config
from nanopelican_hls.errors import JetsError, TrainingError
from nanopelican_hls.evaluation.metrics import class_names
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.jets import port_values, read_jets
from nanopelican_hls.network.checkpoint import Checkpoint
from nanopelican_hls.progress import SILENT, Progress, part_of
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.training.run_folder import RunFolder
from nanopelican_hls.training.seed_training import SeedTraining
from nanopelican_hls.training.side_by_side import side_by_side

logger = logging.getLogger(__name__)


def read_sample(path: str | Path, network: NetworkConfig) -> Sample:
    """Labelled jets of a file, as port values.

    Raises
    ------
    JetsError
        If the file cannot be read, or does not hold jets of every class of the network, or has others.
    """
    jets = read_jets(path, classes=network.classes or None)
    found = jets.labels_of(network.classes, str(path))
    labels = np.array([]) if found is None else found.astype(float)
    for label, kind in class_names(network.classes).items():
        if label not in labels:
            of = f"label {', '.join(network.classes)}" if network.classes else "is_signal 0 and 1"
            raise JetsError(f"holds no {kind} jets", where=str(path), remedy=f"use a file with {of}")
    return Sample(port_values(jets, network), labels)


def train_seeds(
    config: Config,
    train: Path,
    valid: Path,
    *,
    seeds: Sequence[int],
    jobs: int,
    runs: Path,
    progress: Progress = SILENT,
    tensorboard: bool = False,
) -> list[Checkpoint]:
    """Train the seeds of a configuration, ``jobs`` at a time; seeds that diverge are logged and left out.

    Progress is counted in epochs, ``config.training.epochs`` for each seed.

    Returns
    -------
    list of Checkpoint
        In order of validation loss (of the quantised network if there is one), best first.

    Raises
    ------
    TrainingError
        If every seed diverges.
    """
    folders = {seed: RunFolder(runs / f"seed{seed}", tensorboard=tensorboard) for seed in seeds}
    calls = [(config, seed, train, valid, folders[seed]) for seed in seeds]
    trained: dict[int, Checkpoint] = {}
    for place, result in side_by_side(_train_one, calls, jobs, progress):
        if isinstance(result, TrainingError):
            logger.warning("%s seed %d is left out: %s", config.name, seeds[place], result)
        else:
            trained[place] = result
    if not trained:
        raise TrainingError("every seed diverges", where=config.name, remedy="lower training.learning_rate")
    return sorted((trained[place] for place in sorted(trained)), key=validation_loss)


def validation_loss(checkpoint: Checkpoint) -> float:
    """The validation loss by which seeds are chosen."""
    return deciding_loss(checkpoint.metrics["valid"])


def deciding_loss(valid: Mapping[str, Mapping[str, float]]) -> float:
    """Loss of the quantised network, or of the float one if there is no other, from validation figures by form."""
    return valid.get("quantised", valid["float"])["loss"]


def _train_one(
    config: Config, seed: int, train: Path, valid: Path, folder: RunFolder, progress: Progress
) -> Checkpoint | TrainingError:
    samples = (read_sample(path, config.network) for path in (train, valid))
    epochs = config.training.epochs
    with folder.held("--runs"), part_of(progress, epochs, epochs) as part:
        try:
            return SeedTraining(config, seed, *samples, folder=folder, progress=part).run()
        except TrainingError as error:
            return error

"""Training of a baseline, in the same harness as nPELICAN."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from nanopelican_hls.baselines.base import Baseline
from nanopelican_hls.evaluation.figures import AnyFigures, figures_of
from nanopelican_hls.evaluation.metrics import require_every_class
from nanopelican_hls.jets import Jets
from nanopelican_hls.progress import SILENT, Progress
from nanopelican_hls.training.phase import Phase


@dataclass(frozen=True, eq=False)
class TrainedBaseline:
    """A trained baseline with the figures of its best epoch on the validation jets.

    ``losses`` holds the validation loss after every epoch; empty for a baseline that `Baseline.fit` completes.
    """

    model: Baseline
    figures: AnyFigures
    losses: tuple[float, ...]

    @property
    def best_epoch(self) -> int:
        """The epoch kept, counting from 1; 0 if there was none."""
        return int(np.argmin(self.losses)) + 1 if self.losses else 0


def train_baseline(
    model: Baseline,
    train: Jets,
    valid: Jets,
    *,
    epochs: int,
    classes: Sequence[str] = (),
    batch_size: int = 512,
    learning_rate: float | None = None,
    seed: int = 1,
    progress: Progress = SILENT,
) -> TrainedBaseline:
    """Fit, then train with Adam and a cosine schedule; keeps the epoch with the lowest validation loss.

    Parameters
    ----------
    model : Baseline
        Trained in place, on its device, from its current values (`create`).
    train, valid : Jets
        Labelled jets.
    classes : sequence of str
        Names of the classes of the logits, which the jets must have too; empty for one logit.
    epochs, batch_size : int
        Not used for a baseline that `Baseline.fit` completes.
    learning_rate : float, optional
        Initial learning rate; default: that of the model.
    seed : int
        Seed of the order of the jets.
    progress : Progress
        In epochs.

    Raises
    ------
    JetsError
        If jets lack labels or a class or have others, or validation jets are too few for figures of merit.
    TrainingError
        If the loss diverges; the message names the batch.
    """
    train_labels, valid_labels = (
        require_every_class(jets.labels_of(classes, where), where, classes)
        for jets, where in ((train, "training jets"), (valid, "validation jets"))
    )
    model.fit(train)
    valid_inputs = model.inputs(valid)
    if not model.trainable or epochs == 0:
        return TrainedBaseline(model, figures_of(classes, valid_labels, model.logits_of(valid_inputs)), ())
    rate = model.learning_rate if learning_rate is None else learning_rate
    phase = Phase(
        model.name,
        model,
        model,
        [(parameter, rate) for parameter in model.trainable],
        {name: torch.as_tensor(values).to(model.device) for name, values in model.inputs(train).items()},
        torch.as_tensor(train_labels, dtype=torch.float32, device=model.device),
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
    )
    found: list[AnyFigures] = []
    best = copy.deepcopy(model.state_dict())
    for _ in range(epochs):
        phase.run_epoch()
        found.append(figures_of(classes, valid_labels, model.logits_of(valid_inputs)))
        if found[-1].loss == min(f.loss for f in found):
            best = copy.deepcopy(model.state_dict())
        progress.note(f"{model.name} seed {seed}: validation AUC {found[-1].auc:.4f}")
        progress.update()
    model.load_state_dict(best)
    return TrainedBaseline(model, min(found, key=lambda f: f.loss), tuple(f.loss for f in found))

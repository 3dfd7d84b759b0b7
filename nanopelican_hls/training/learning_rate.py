"""Learning rate schedules, as factors of the highest learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable

from nanopelican_hls.config import Schedule, TrainingConfig

#: factor as a function of time in epochs, from 0 to the number of epochs
Factor = Callable[[float], float]


def cosine(epochs: float) -> Factor:
    """Half a cosine from 1 to 0."""
    return lambda epoch: 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / epochs)))


def float_schedule(recipe: TrainingConfig) -> Factor:
    """Linear warm-up, then the schedule, then an exponential decay from the highest rate.

    The cosines with restarts follow SGDR (arXiv:1608.03983). In the recipe of the paper (arXiv:2310.16121) they last 4
    + 8 + 16 + 32 + 64 = 124 epochs, after 4 epochs of warm-up and before 12 of decay by one half per epoch.
    """
    decay_from = recipe.float_epochs - recipe.decay_epochs
    main_epochs = decay_from - recipe.warmup_epochs
    main = cosine(main_epochs) if recipe.schedule is Schedule.COSINE else _restarts(recipe)

    def factor(epoch: float) -> float:
        if epoch < recipe.warmup_epochs:
            return epoch / recipe.warmup_epochs
        if epoch < decay_from or not recipe.decay_epochs:
            return main(epoch - recipe.warmup_epochs)
        return float(recipe.decay_factor ** (1 + math.floor(epoch - decay_from)))

    return factor


def _restarts(recipe: TrainingConfig) -> Factor:
    def factor(epoch: float) -> float:
        length = recipe.restart_epochs
        while epoch >= length:
            epoch -= length
            length *= recipe.restart_factor
        return cosine(length)(epoch)

    return factor

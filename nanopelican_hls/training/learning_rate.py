"""Learning rates over a training, as factors of the highest one."""

from __future__ import annotations

import math
from collections.abc import Callable

from nanopelican_hls.config import Schedule, TrainingConfig

#: factor by time in epochs, from 0 to the number of epochs
Factor = Callable[[float], float]


def cosine(epochs: float) -> Factor:
    """From 1 to 0 along half a cosine."""
    return lambda epoch: 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / epochs)))


def float_schedule(recipe: TrainingConfig) -> Factor:
    """Linear warm-up, then the schedule, then an exponential decay from the highest rate.

    Cosines with restarts are those of SGDR (arXiv:1608.03983). In the paper's recipe (arXiv:2310.16121) they last
    4 + 8 + 16 + 32 + 64 = 124 epochs between 4 of warm-up and 12 of decay by one half an epoch.
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

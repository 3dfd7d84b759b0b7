"""How a network is trained: the `training` section of a configuration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from nanopelican_hls.errors import ConfigError


class InitialValues(str, Enum):
    """Where training starts."""

    PHYSICS = "physics"  #: channels that switch on at the top mass (docs/network.md)
    RANDOM = "random"  #: normal weights, biases of 0, as in the paper


class Optimiser(str, Enum):
    """Optimiser of float training; AdamW decouples weight decay from the step (arXiv:1711.05101)."""

    ADAM = "adam"
    ADAMW = "adamw"


class Schedule(str, Enum):
    """Schedule of the learning rate in float training (docs/training.md)."""

    COSINE = "cosine"  #: one cosine, to zero
    WARM_RESTARTS = "warm_restarts"  #: cosines of growing length, each from the full rate


@dataclass(frozen=True)
class TrainingConfig:
    """Float training, fold, quantisation-aware fine-tuning (docs/training.md).

    ``nbar`` normalises sums over particles during training, and is absorbed by the fold. ``dropout`` drops products
    and ReLU outputs. ``float_epochs`` include ``warmup_epochs`` before the schedule and ``decay_epochs`` after it; each
    decay epoch multiplies the learning rate by ``decay_factor``. With restarts, the first cosine lasts
    ``restart_epochs``, and each further one ``restart_factor`` times as long as the previous one. Float training ends
    with up to ``second_order_steps`` of L-BFGS, or earlier, after ``second_order_patience`` steps without a lower
    validation loss. Fine-tuning always uses one cosine; with ``quantised_epochs`` 0 the model stays in float. Without
    ``pair_multipliers``, fine-tuning makes the weight of d a power of two in every channel, so the hardware has no
    multiplier at pair level (docs/formula.md). Scales are frozen for the last ``freeze_scales_fraction`` of the
    quantised epochs. ``max_jets`` limits the training sample.
    """

    nbar: int = 64
    seeds: tuple[int, ...] = (1, 2, 3, 4)
    batch_size: int = 512
    initial_values: InitialValues = InitialValues.PHYSICS
    optimiser: Optimiser = Optimiser.ADAM
    weight_decay: float = 0.0
    dropout: float = 0.0
    float_epochs: int = 12
    second_order_steps: int = 0
    second_order_patience: int = 100
    quantised_epochs: int = 8
    learning_rate: float = 0.03
    schedule: Schedule = Schedule.COSINE
    warmup_epochs: int = 0
    restart_epochs: int = 4
    restart_factor: int = 2
    decay_epochs: int = 0
    decay_factor: float = 0.5
    quantised_learning_rate: float = 0.003
    pair_multipliers: bool = True
    freeze_scales_fraction: float = 0.4
    max_jets: int | None = None

    def __post_init__(self) -> None:
        positive = ("nbar", "batch_size", "float_epochs", "second_order_patience", "restart_epochs", "restart_factor")
        for key in (*positive, "max_jets"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ConfigError(
                    f"must be at least 1, not {value}",
                    where=f"training.{key}",
                    remedy="give a value in this range, or leave the key out for the default (docs/training.md)",
                )
        for key in ("second_order_steps", "quantised_epochs", "warmup_epochs", "decay_epochs", "weight_decay"):
            if not 0 <= getattr(self, key) < math.inf:
                raise ConfigError(
                    f"must be finite and not negative, not {getattr(self, key)}",
                    where=f"training.{key}",
                    remedy="give a value in this range, or leave the key out for the default (docs/training.md)",
                )
        for key in ("learning_rate", "quantised_learning_rate", "decay_factor"):
            if not 0 < getattr(self, key) < math.inf:
                raise ConfigError(
                    f"must be positive and finite, not {getattr(self, key)}",
                    where=f"training.{key}",
                    remedy="give a value in this range, or leave the key out for the default (docs/training.md)",
                )
        if not 0 <= self.freeze_scales_fraction <= 1:
            raise ConfigError(
                f"must be 0 to 1, not {self.freeze_scales_fraction}",
                where="training.freeze_scales_fraction",
                remedy="give a value in this range, or leave the key out for the default (docs/training.md)",
            )
        if not 0 <= self.dropout < 1:
            raise ConfigError(
                f"must be at least 0 and below 1, not {self.dropout}",
                where="training.dropout",
                remedy="give a value in this range, or leave the key out for the default (docs/training.md)",
            )
        if self.warmup_epochs + self.decay_epochs >= self.float_epochs:
            raise ConfigError(
                f"{self.float_epochs} epochs leave none between the warm-up ({self.warmup_epochs}) and the decay "
                f"({self.decay_epochs})",
                where="training.warmup_epochs",
                remedy="train for more float_epochs",
            )
        check_seeds(self.seeds, "training.seeds")

    @property
    def epochs(self) -> int:
        """All epochs and steps, if no phase ends early."""
        return self.float_epochs + self.second_order_steps + self.quantised_epochs


def check_seeds(seeds: Sequence[int], where: str) -> None:
    """Raise `ConfigError` unless these can be the seeds of trainings side by side."""
    if not seeds or len(set(seeds)) < len(seeds) or not all(0 <= seed < 2**32 for seed in seeds):
        raise ConfigError(
            f"must be one or more different numbers from 0 to 2^32 - 1, not {', '.join(map(str, seeds)) or 'none'}",
            where=where,
            remedy="give such numbers, or leave them out for the default (docs/training.md)",
        )

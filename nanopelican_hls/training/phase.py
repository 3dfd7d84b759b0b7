"""One phase of training: a model, its optimiser and the order of the jets; it can resume after any epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nanopelican_hls.config import Optimiser
from nanopelican_hls.errors import TrainingError
from nanopelican_hls.evaluation.loss import cross_entropy
from nanopelican_hls.network.inference import Tensors
from nanopelican_hls.training.learning_rate import Factor, cosine

OPTIMISERS: dict[Optimiser, type[torch.optim.Optimizer]] = {
    Optimiser.ADAM: torch.optim.Adam,
    Optimiser.ADAMW: torch.optim.AdamW,
}

#: mean cross entropy of a batch from which training never recovers (guessing gives ln K, 0.69 with two classes)
DIVERGED_LOSS = 1e3


class Phase:
    """A number of epochs with one optimiser and one learning rate schedule.

    Parameters
    ----------
    name : str
        For messages and state.
    model : Module
        The model to train.
    logits : callable
        Logits [b], or [b, K] of K classes, of a batch of ``inputs``.
    groups : sequence of (parameter, float)
        Each parameter with its learning rate.
    inputs, labels : dict of str to Tensor [n, ...], Tensor [n]
        The training sample, on the same device as the model; reshuffled every epoch.
    epochs, batch_size : int
        An incomplete last batch is dropped.
    seed : int
        Seed of the order of the jets and of dropout.
    optimiser, weight_decay
        Default: Adam without weight decay.
    factor : callable, optional
        Factor on the learning rates of the groups, as a function of time in epochs; default: a cosine down to 0.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        logits: Callable[[Tensors], Tensor],
        groups: Sequence[tuple[nn.Parameter, float]],
        inputs: Tensors,
        labels: Tensor,
        *,
        epochs: int,
        batch_size: int,
        seed: int,
        optimiser: Optimiser = Optimiser.ADAM,
        weight_decay: float = 0.0,
        factor: Factor | None = None,
    ) -> None:
        self.name, self.model, self.epochs, self.epoch, self._seed = name, model, epochs, 0, seed
        self._logits, self._inputs, self._labels = logits, inputs, labels
        self._batch_size = min(batch_size, len(labels))
        parameters = [{"params": [p], "lr": rate} for p, rate in groups]
        self._optimiser = OPTIMISERS[optimiser](parameters, weight_decay=weight_decay)  # type: ignore[call-arg]
        batches, by_epoch = max(1, len(labels) // self._batch_size), factor or cosine(epochs)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, lambda step: by_epoch(step / batches))
        self._generator = torch.Generator().manual_seed(seed)

    @property
    def rate_factor(self) -> float:
        """Current factor on the learning rates."""
        group = self._optimiser.param_groups[0]
        return float(group["lr"] / group["initial_lr"])

    def run_epoch(self) -> float:
        """Train for one epoch; returns the mean loss of its batches.

        Raises
        ------
        TrainingError
            If the loss is not a number, or diverges; the message names the batch.
        """
        self.model.train()
        device, total = self._labels.device, 0.0
        order = torch.randperm(len(self._labels), generator=self._generator).to(device)
        batches = len(order) // self._batch_size
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            # dropout must not depend on whether the run was interrupted before; of a seed, torch uses the last 32 bits
            torch.manual_seed((self._seed << 16) + self.epoch)
            for batch in range(batches):
                chosen = order[batch * self._batch_size : (batch + 1) * self._batch_size]
                logits = self._logits({name: x[chosen] for name, x in self._inputs.items()})
                loss = cross_entropy(logits, self._labels[chosen])
                total += self._checked(loss.item(), batch)
                self._optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                self._optimiser.step()
                self._schedule.step()
        self.model.eval()
        self.epoch += 1
        return total / batches

    def state(self) -> dict[str, Any]:
        return {
            "phase": self.name,
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "generator": self._generator.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from `state`, bit for bit as if never interrupted."""
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._generator.set_state(state["generator"])

    def _checked(self, loss: float, batch: int) -> float:
        if math.isfinite(loss) and loss < DIVERGED_LOSS:
            return loss
        raise TrainingError(
            f"the loss is {loss:g}",
            where=f"{self.name} training, epoch {self.epoch + 1}, batch {batch + 1}",
            remedy="lower the learning rate, or try another seed; the state after the last epoch is kept",
        )

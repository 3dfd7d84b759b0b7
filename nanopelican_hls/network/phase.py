"""One phase of training: a model, its optimiser, and the order of the jets; can stop after any epoch and go on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from nanopelican_hls.errors import TrainingError
from nanopelican_hls.network.evaluation import Tensors

#: a mean cross entropy of a batch that no training comes back from (guessing gives 0.69)
DIVERGED_LOSS = 1e3


class Phase:
    """Adam with a learning rate that falls to zero as a cosine.

    Parameters
    ----------
    name : str
        For messages and state.
    model : Module
        What is trained.
    logits : callable
        Logits [b] of a batch of ``inputs``.
    groups : sequence of (parameter, float)
        Each parameter with its learning rate.
    inputs, labels : dict of str to Tensor [n, ...], Tensor [n]
        The training sample; shuffled anew each epoch.
    epochs, batch_size : int
        A last, incomplete batch is left out.
    seed : int
        Of the order of the jets.
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
    ) -> None:
        self.name, self.model, self.epochs, self.epoch = name, model, epochs, 0
        self._logits, self._inputs, self._labels = logits, inputs, labels
        self._batch_size = min(batch_size, len(labels))
        self._optimiser = torch.optim.Adam([{"params": [p], "lr": rate} for p, rate in groups])
        steps = max(1, epochs * (len(labels) // self._batch_size))
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimiser, steps)
        self._generator = torch.Generator().manual_seed(seed)

    def run_epoch(self) -> None:
        """Train for one epoch.

        Raises
        ------
        TrainingError
            If the loss is not a number, or diverges; says at which batch.
        """
        self.model.train()
        order = torch.randperm(len(self._labels), generator=self._generator)
        for batch in range(len(order) // self._batch_size):
            chosen = order[batch * self._batch_size : (batch + 1) * self._batch_size]
            logits = self._logits({name: x[chosen] for name, x in self._inputs.items()})
            loss = binary_cross_entropy_with_logits(logits, self._labels[chosen])
            self._check(loss.item(), batch)
            self._optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            self._schedule.step()
        self.model.eval()
        self.epoch += 1

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
        """Go on from `state`, bit for bit as if it had never stopped."""
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._generator.set_state(state["generator"])

    def _check(self, loss: float, batch: int) -> None:
        if math.isfinite(loss) and loss < DIVERGED_LOSS:
            return
        raise TrainingError(
            f"the loss is {loss:g}",
            where=f"{self.name} training, epoch {self.epoch + 1}, batch {batch + 1}",
            remedy="lower the learning rate, or try another seed; the state after the last epoch is kept",
        )

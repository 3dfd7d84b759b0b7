"""The finish of float training: L-BFGS on the whole sample, which gets closer to the optimum than batches do."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from nanopelican_hls.evaluation.loss import cross_entropy
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.network.inference import CHUNK, Tensors, in_chunks
from nanopelican_hls.network.pair_level import leading_particles
from nanopelican_hls.network.square_products import particles, square_products

logger = logging.getLogger(__name__)

#: products kept in memory, in bytes; those of further jets are computed again for every evaluation
HELD_BYTES = 2 << 30
#: evaluations of the loss in one line search, at most
LINE_SEARCH = 25


class SecondOrder:
    """Steps of L-BFGS with a strong-Wolfe line search, in float64; can stop after any step and resume, like a `Phase`.

    What is minimised is the mean cross entropy of the network as it is evaluated: without dropout and weight decay, and
    with BatchNorm as the affine map of its tracked statistics, which stay as they are.

    A step that does not lower the loss is undone, and the next one starts from the gradient alone, without what was
    learned of the curvature. If that one fails too, the phase ends.

    Parameters
    ----------
    model : FloatNetwork
        Put into float64 and evaluation mode, and trained.
    sample : Sample
        The training sample.
    steps : int
        At most.
    where : str
        For log messages.
    """

    name = "second_order"
    #: there is no schedule: the line search sets the length of a step
    rate_factor = 1.0

    def __init__(self, model: FloatNetwork, sample: Sample, *, steps: int, where: str) -> None:
        self.model, self.epochs, self.epoch, self._where = model.double().eval(), steps, 0, where
        self._parameters = list(model.parameters())
        self._chunks = _Chunks(model, sample)
        self._optimiser = self._without_memory()
        self._evaluated: dict[bytes, tuple[float, Tensor]] = {}

    def run_epoch(self) -> float:
        """Make one step; returns the loss where it ends, which is never above that where it starts."""
        start, before = [p.detach().clone() for p in self._parameters], self._loss()
        from_gradient_alone = not self._optimiser.state
        self._optimiser.step(self._loss)  # type: ignore[no-untyped-call]
        self.epoch += 1
        after = self._loss()
        if not after < before:
            with torch.no_grad():
                for parameter, value in zip(self._parameters, start, strict=True):
                    parameter.copy_(value)
            self._optimiser = self._without_memory()
            if from_gradient_alone:
                self.epochs = self.epoch
            logger.log(
                logging.INFO if after == before else logging.WARNING,
                "%s: second-order step %d, from a loss of %g to %g, is undone; %s",
                *(self._where, self.epoch, before, after),
                "it is the last" if from_gradient_alone else "the next starts without memory",
            )
        self._evaluated = {self._here(): self._evaluated[self._here()]}  # the next step starts from it
        return self._loss()

    def state(self) -> dict[str, Any]:
        return {
            "phase": self.name,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "model": self.model.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from `state`, bit for bit as if it had never stopped."""
        self.epoch, self.epochs = state["epoch"], state["epochs"]
        self.model.load_state_dict(state["model"])
        self._optimiser.load_state_dict(state["optimiser"])

    def _without_memory(self) -> torch.optim.LBFGS:
        return torch.optim.LBFGS(self._parameters, max_iter=1, max_eval=1 + LINE_SEARCH, line_search_fn="strong_wolfe")

    def _here(self) -> bytes:
        return parameters_to_vector(self._parameters).detach().cpu().numpy().tobytes()

    def _loss(self) -> float:
        """The loss at the present parameters, whose gradients are set.

        A step begins, and is judged, where the line search before has been: nothing is evaluated twice.
        """
        here = self._here()
        if here not in self._evaluated:
            self._evaluated[here] = self._evaluate()
        loss, gradient = self._evaluated[here]
        parts = torch.split(gradient, [parameter.numel() for parameter in self._parameters])
        for parameter, part in zip(self._parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)
        return loss

    def _evaluate(self) -> tuple[float, Tensor]:
        """Mean loss and its gradient; infinity and NaN if either is not finite, and the line search halves its step."""
        total, gradient = 0.0, torch.zeros_like(parameters_to_vector(self._parameters))
        for products, labels in self._chunks:
            logits = self.model(products)
            loss = cross_entropy(logits, labels, reduction="sum") / self._chunks.jets
            total += loss.item()
            gradient += parameters_to_vector(torch.autograd.grad(loss, self._parameters))
        if math.isfinite(total) and gradient.isfinite().all():
            return total, gradient
        return math.inf, torch.full_like(gradient, math.nan)


class _Chunks:
    """Products and labels [b] of all jets in float64, in chunks of like multiplicity, with the padding cut off."""

    def __init__(self, model: FloatNetwork, sample: Sample) -> None:
        self._network, self._device, self.jets = model.network, model.b0.device, len(sample)
        self._ports = {name: torch.as_tensor(values) for name, values in sample.values.items()}
        self._labels = torch.as_tensor(sample.labels)
        mask = in_chunks(lambda ports: {"mask": particles(self._network, ports)[1]["mask"]}, self._ports)["mask"]
        # one particle is left where there are none
        sizes, order = torch.sort(leading_particles(mask).clamp(min=1), descending=True, stable=True)
        self._parts = [
            (jets, int(size[0]))
            for jets, size in zip(torch.split(order, CHUNK), torch.split(sizes, CHUNK), strict=True)
        ]
        self._held: list[tuple[Tensors, Tensor]] = []
        left = HELD_BYTES
        for jets, size in self._parts:
            left -= len(jets) * size**2 * mask.element_size()
            if left < 0:
                break
            self._held.append(self._chunk(jets, size))

    def __iter__(self) -> Iterator[tuple[Tensors, Tensor]]:
        yield from self._held
        for jets, size in self._parts[len(self._held) :]:
            yield self._chunk(jets, size)

    def _chunk(self, jets: Tensor, size: int) -> tuple[Tensors, Tensor]:
        ports = {name: values[jets].to(self._device) for name, values in self._ports.items()}
        products = square_products(self._network, ports)
        mask, square = products["mask"][:, :size].clone(), products["square"][:, :size, :size].clone()
        return products | {"mask": mask, "square": square}, self._labels[jets].to(self._device)

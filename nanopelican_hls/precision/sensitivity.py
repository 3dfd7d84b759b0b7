"""How much the loss grows with a coarser quantiser: the second-order expansion around a quantised network.

For parameters in the manner of HAWQ (arXiv:1911.03852, arXiv:2011.10680), but with the exact Hessian: there are a few
dozen parameters. For activations the curvature comes through the one logit x of a jet: a change delta of a tensor
moves it by J delta, and the cross entropy by (p - y) J delta + p (1 - p) (J delta)^2 / 2, with p = sigmoid(x).

The point is the network as it is trained, quantisers included, each with the derivative of training: 1 inside its
range, 0 where it saturates. Without its quantisers it is another network, since training makes use of their saturation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.network.interpreter import execute, split
from nanopelican_hls.precision.loss import quantised
from nanopelican_hls.topology.dataflow import outputs, ports
from nanopelican_hls.topology.description import NetworkDescription

Tensors = dict[str, Tensor]

#: of a rounding error at random, in units of the squared scale
MEAN_SQUARE = {Rounding.ROUND: 1 / 12, Rounding.FLOOR: 1 / 3}


class LossExpansion:
    """The mean loss as a function of what each quantiser gives, to second order.

    Parameters
    ----------
    description : NetworkDescription
        The network around which the loss is expanded.
    sample : Sample
        Jets over which the mean is taken. Values and derivatives of all tensors are held: 16 bytes an element.
    """

    def __init__(self, description: NetworkDescription, sample: Sample) -> None:
        self._quantisers = description.quantisers
        products, trained = split(description.network, tables=description.tables)
        labels = torch.as_tensor(sample.labels)
        #: what stands before each quantiser, and behind it
        self._exact: Tensors = {name: torch.as_tensor(value) for name, value in description.parameters.items()}
        parameters = {name: quantised(value, self._quantisers[name]) for name, value in self._exact.items()}
        self._given: Tensors = dict(parameters)
        self._jacobian: Tensors = {}

        values = {name: torch.as_tensor(sample.values[name]) for name in ports(description.network)}
        tensors = {name: self._watch(name)(value) for name, value in values.items()}
        watched = {name: self._watch(name) for name in self._quantisers}
        execute(products, tensors, watched)
        constant = {name: tensor.detach() for name, tensor in tensors.items()}
        tensors |= parameters
        execute(trained, tensors, watched)
        (output,) = self._outputs = outputs(description.network)
        logits = tensors[output][:, 0]
        self._differentiate(logits)
        p = torch.sigmoid(logits.detach())
        self._residual, self._curvature = p - labels, p * (1 - p)

        straight = {name: _straight_through(quantiser) for name, quantiser in self._quantisers.items()}

        def loss(name: str) -> Callable[[Tensor], Tensor]:
            def of_values(flat: Tensor) -> Tensor:
                tensors = constant | parameters | {name: flat.view(parameters[name].shape)}
                execute(trained, tensors, straight)
                return binary_cross_entropy_with_logits(tensors[output][:, 0], labels)

            return of_values

        functional = torch.autograd.functional
        flat = {name: value.flatten() for name, value in parameters.items()}
        self._gradient = {name: functional.jacobian(loss(name), x) for name, x in flat.items()}  # type: ignore[no-untyped-call]
        self._hessian = {name: functional.hessian(loss(name), x) for name, x in flat.items()}  # type: ignore[no-untyped-call]

    def increase(self, name: str, quantiser: Quantiser) -> float:
        """Predicted growth of the mean loss if this tensor alone had this quantiser in place of its own."""
        return sum(self._orders(name, quantiser))

    def cautious_increase(self, name: str, quantiser: Quantiser) -> float:
        """The same without what is a gain by chance: never below 0.

        The gradient of a trained network is 0, but for what a sample of jets has by chance: a gain in first order is
        left out. Few numbers make a parameter, their errors may be small by luck, and they move when the network is
        fine-tuned: the second order is at least that of errors at random, half the Hessian's trace times their mean
        square, as in HAWQ-V2.
        """
        first, second = self._orders(name, quantiser)
        if name in self._hessian:
            mean_square = MEAN_SQUARE[quantiser.rounding] * quantiser.scale**2
            second = max(second, float(self._hessian[name].trace()) * mean_square / 2)
        return max(0.0, first) + max(0.0, second)

    def total(self, quantisers: Mapping[str, Quantiser]) -> float:
        """The sum for all quantisers: their errors are taken as independent."""
        inner = {name: quantiser for name, quantiser in quantisers.items() if name not in self._outputs}
        return sum(self.increase(name, quantiser) for name, quantiser in inner.items())

    def _orders(self, name: str, quantiser: Quantiser) -> tuple[float, float]:
        """First and second order."""
        change = quantised(self._exact[name], quantiser) - self._given[name]
        if name in self._hessian:
            change = change.flatten()
            return float(self._gradient[name] @ change), float(change @ self._hessian[name] @ change) / 2
        moved = (change * self._jacobian[name]).flatten(1).sum(1)
        return float((self._residual * moved).mean()), float((self._curvature * moved**2).mean()) / 2

    def _watch(self, name: str) -> Callable[[Tensor], Tensor]:
        """The quantiser of an activation, which notes what comes in and goes out."""
        quantise = _straight_through(self._quantisers[name])

        def watched(x: Tensor) -> Tensor:
            given = quantise(x)
            given = given if given.requires_grad else given.requires_grad_()
            self._exact[name], self._given[name] = x.detach(), given
            return given

        return watched

    def _differentiate(self, logits: Tensor) -> None:
        names = [name for name, given in self._given.items() if given.requires_grad]
        # a jet's logit sees its own tensors only: the gradient of the sum holds those of all jets
        found = torch.autograd.grad(logits.sum(), [self._given[name] for name in names])
        self._jacobian = dict(zip(names, found, strict=True))
        self._given = {name: given.detach() for name, given in self._given.items()}


def _straight_through(quantiser: Quantiser) -> Callable[[Tensor], Tensor]:
    """A quantiser with the derivative of the clamp to its range, as often as one likes."""
    low, high = quantiser.low * quantiser.scale, quantiser.high * quantiser.scale

    def quantise(x: Tensor) -> Tensor:
        inside = x.clamp(low, high)
        return inside + (quantised(x.detach(), quantiser) - inside).detach()

    return quantise

"""Increase of the loss with coarser quantisers: the second-order expansion around a quantised network.

For parameters in the manner of HAWQ (arXiv:1911.03852, arXiv:2011.10680), but with the exact Hessian, since there are
only a few dozen parameters. For activations the curvature comes through the single logit x of a jet: a change delta of
a tensor changes x by J delta, and the cross entropy by (p - y) J delta + p (1 - p) (J delta)^2 / 2, with p =
sigmoid(x).

The expansion point is the trained network including its quantisers, each with its derivative in training: 1 inside its
range, 0 where it saturates. Without quantisers it would be another network, since training makes use of saturation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from nanopelican_hls.errors import NetworkError
from nanopelican_hls.evaluation.loss import cross_entropy
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.network.interpreter import execute, split
from nanopelican_hls.precision.loss import quantised
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.dataflow import outputs, ports
from nanopelican_hls.topology.description import NetworkDescription

Tensors = dict[str, Tensor]

#: mean square of a random rounding error, in units of the squared scale
MEAN_SQUARE = {Rounding.ROUND: 1 / 12, Rounding.FLOOR: 1 / 3}


class LossExpansion:
    """The mean loss as a function of the output of each quantiser, to second order.

    Parameters
    ----------
    description : NetworkDescription
        The network around which the loss is expanded.
    sample : Sample
        Jets over which the mean is taken. Values and derivatives of all tensors are kept: 16 bytes per element.

    Raises
    ------
    NetworkError
        If the network has several classes.
    """

    def __init__(self, description: NetworkDescription, sample: Sample) -> None:
        require_one_logit(description.network)
        self._quantisers = description.quantisers
        products, trained = split(description.network, tables=description.tables)
        labels = torch.as_tensor(sample.labels)
        #: input and output of each quantiser
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
                return cross_entropy(tensors[output][:, 0], labels)

            return of_values

        functional = torch.autograd.functional
        flat = {name: value.flatten() for name, value in parameters.items()}
        self._gradient = {name: functional.jacobian(loss(name), x) for name, x in flat.items()}  # type: ignore[no-untyped-call]
        self._hessian = {name: functional.hessian(loss(name), x) for name, x in flat.items()}  # type: ignore[no-untyped-call]

    def increase(self, name: str, quantiser: Quantiser) -> float:
        """Predicted increase of the mean loss if only this tensor had this quantiser instead of its own."""
        return sum(self._orders(name, quantiser))

    def cautious_increase(self, name: str, quantiser: Quantiser) -> float:
        """The predicted increase without accidental gains: never below 0.

        The gradient of a trained network is 0 up to fluctuations of the jet sample, so a first-order gain is ignored. A
        parameter has few elements, whose errors may be small by luck, and they change during fine-tuning, so the second
        order is at least that of random errors: half the trace of the Hessian times their mean square, as in HAWQ-V2.
        """
        first, second = self._orders(name, quantiser)
        if name in self._hessian:
            mean_square = MEAN_SQUARE[quantiser.rounding] * quantiser.scale**2
            second = max(second, float(self._hessian[name].trace()) * mean_square / 2)
        return max(0.0, first) + max(0.0, second)

    def total(self, quantisers: Mapping[str, Quantiser]) -> float:
        """The sum over all quantisers, treating their errors as independent."""
        inner = {name: quantiser for name, quantiser in quantisers.items() if name not in self._outputs}
        return sum(self.increase(name, quantiser) for name, quantiser in inner.items())

    def _orders(self, name: str, quantiser: Quantiser) -> tuple[float, float]:
        """First- and second-order terms."""
        change = quantised(self._exact[name], quantiser) - self._given[name]
        if name in self._hessian:
            change = change.flatten()
            return float(self._gradient[name] @ change), float(change @ self._hessian[name] @ change) / 2
        moved = (change * self._jacobian[name]).flatten(1).sum(1)
        return float((self._residual * moved).mean()), float((self._curvature * moved**2).mean()) / 2

    def _watch(self, name: str) -> Callable[[Tensor], Tensor]:
        """The quantiser of an activation, recording its input and output."""
        quantise = _straight_through(self._quantisers[name])

        def watched(x: Tensor) -> Tensor:
            given = quantise(x)
            given = given if given.requires_grad else given.requires_grad_()
            self._exact[name], self._given[name] = x.detach(), given
            return given

        return watched

    def _differentiate(self, logits: Tensor) -> None:
        names = [name for name, given in self._given.items() if given.requires_grad]
        # the logit of a jet depends on its own tensors only, so the gradient of the sum holds those of all jets
        # the multiplicity only picks rows of tables, so it has no derivative; its grid is given
        found = torch.autograd.grad(logits.sum(), [self._given[name] for name in names], materialize_grads=True)
        self._jacobian = dict(zip(names, found, strict=True))
        self._given = {name: given.detach() for name, given in self._given.items()}


def require_one_logit(network: NetworkConfig) -> None:
    """Raise the error of `LossExpansion` for a network with several classes, whose curvature is a matrix."""
    if network.classes:
        raise NetworkError(
            f"the loss of several classes ({', '.join(network.classes)}) cannot be expanded",
            where="network.classes",
            remedy="use a network of signal against background",
        )


def _straight_through(quantiser: Quantiser) -> Callable[[Tensor], Tensor]:
    """A straight-through quantiser with the derivative of the clamp to its range, differentiable repeatedly."""
    low, high = quantiser.low * quantiser.scale, quantiser.high * quantiser.scale

    def quantise(x: Tensor) -> Tensor:
        inside = x.clamp(low, high)
        return inside + (quantised(x.detach(), quantiser) - inside).detach()

    return quantise

"""Methods to narrow quantisers: by the Hessian, at once or in steps, by greedy search, or uniformly."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from nanopelican_hls.errors import ConfigError
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.fixed_point import MAX_QUANTISER_BITS, Quantiser
from nanopelican_hls.network.model import TrainedModel
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.precision.assignment import Option, lowest_loss, options
from nanopelican_hls.precision.cost import COSTS
from nanopelican_hls.precision.greedy import GreedySearch
from nanopelican_hls.precision.loss import MeasuredLoss
from nanopelican_hls.precision.sensitivity import LossExpansion
from nanopelican_hls.precision.widths import LEAST_BITS, allowed, blocks, own_widths, resized, uniform
from nanopelican_hls.progress import Bars, Progress, silent
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.training.scales import adjust_scales, pinned

Quantisers = dict[str, Quantiser]

#: fraction of the cost of the model that widths may lose before the loss is expanded again
STEP = 0.06


@dataclass(frozen=True)
class Assignment:
    """Widths within a budget, before any training.

    Parameters
    ----------
    method : str
        A key of `METHODS`; ``model`` means the widths of the model itself.
    budget : float
        As a fraction of the cost of the model.
    cost : float
        Actual cost, as such a fraction.
    widths : dict of str to int
        Bits by tensor.
    exponents : dict of str to int
        Scale exponents of all quantisers, after the scales were moved to where the loss is lowest.
    predicted, measured : float
        Increase of the loss over that of the model, predicted by the expansion and measured, at the scales of the
        method.
    adjusted : float
        The measured increase with the scales in ``exponents``.
    """

    method: str
    budget: float
    cost: float
    widths: dict[str, int]
    exponents: dict[str, int]
    predicted: float
    measured: float
    adjusted: float

    @property
    def name(self) -> str:
        return f"{self.method}-{self.budget:g}"

    def applied_to(self, description: NetworkDescription) -> NetworkDescription:
        """The network with these quantisers and unchanged parameters."""
        quantisers = {
            name: replace(q, bits=self.widths.get(name, q.bits), exponent=self.exponents[name])
            for name, q in description.quantisers.items()
        }
        return replace(description, quantisers=quantisers)


class Assigner:
    """Chooses the widths of a trained model under budgets.

    Parameters
    ----------
    model : TrainedModel
        A model with a quantised network.
    sample : Sample
        Jets on which the loss is measured and expanded.
    cost : str
        A key of `COSTS`.
    bars : Bars
        How progress is shown.
    """

    def __init__(self, model: TrainedModel, sample: Sample, cost: str, bars: Bars = silent) -> None:
        self._model, self._sample, self._bars = model, sample, bars
        self._description = model.description
        self._own = own_widths(model.config)
        self._cost = COSTS[cost](self._description)
        self._full_cost = self._cost(self._own)
        self._blocks, self._allowed = blocks(model.config), allowed(model.config)

    def assignments(self, method: str, budgets: Sequence[float]) -> Iterator[Assignment]:
        """Assignments by a method of `METHODS`, one per budget, largest first."""
        for budget, quantisers in METHODS[method](self, sorted(budgets, reverse=True)):
            yield self._described(method, budget, quantisers)

    @cached_property
    def _expansion(self) -> LossExpansion:
        return LossExpansion(self._description, self._sample)

    @cached_property
    def _loss(self) -> MeasuredLoss:
        return MeasuredLoss(self._description, self._sample)

    def _own_quantisers(self, names: Sequence[str]) -> Quantisers:
        return {name: self._description.quantisers[name] for name in names}

    def _as_it_is(self, budgets: Sequence[float]) -> Iterator[tuple[float, Quantisers]]:
        for budget in budgets:
            yield budget, self._own_quantisers(list(self._own))

    def _by_hessian(self, budgets: Sequence[float]) -> Iterator[tuple[float, Quantisers]]:
        with self._bars("Hessian", len(self._blocks), "tensors") as bar:
            choices = self._choices(self._description, bar)
        for budget in budgets:
            yield budget, lowest_loss(choices, self._cost, budget * self._full_cost)

    def _by_renewed_hessian(self, budgets: Sequence[float]) -> Iterator[tuple[float, Quantisers]]:
        """In steps of cost: after each, scales are adjusted and the loss is expanded around the new network."""
        now, description = 1.0, self._description
        steps = sum(math.ceil((a - b) / STEP - 1e-9) for a, b in pairwise([now, *budgets]))
        with self._bars("Hessian in steps", steps * len(self._blocks), "tensors") as bar:
            for budget in budgets:
                while now > budget:
                    now = max(budget, now - STEP)
                    found = lowest_loss(self._choices(description, bar), self._cost, now * self._full_cost)
                    description = self._adjusted(_with(description, found))
                yield budget, dict(description.quantisers)

    def _choices(self, description: NetworkDescription, bar: Progress) -> list[list[Option]]:
        """Options of every block of a network."""
        as_given = description is self._description
        expansion = self._expansion if as_given else LossExpansion(description, self._sample)
        loss = self._loss if as_given else MeasuredLoss(description, self._sample)
        found = []
        for block in self._blocks:
            own = {name: description.quantisers[name] for name in block}
            found.append(options(expansion, loss, own, self._allowed))
            bar.update()
        return found

    def _adjusted(self, description: NetworkDescription) -> NetworkDescription:
        """The network with scales moved to where the loss is lowest."""
        net = QuantisedNetwork.from_description(description)
        adjust_scales(net, self._sample, pinned(self._model.config))
        return net.describe()

    def _by_greed(self, budgets: Sequence[float]) -> Iterator[tuple[float, Quantisers]]:
        loss = MeasuredLoss(self._description, self._sample)
        search = GreedySearch(loss, self._cost, self._blocks, self._allowed)
        costs = {budget * self._full_cost: budget for budget in budgets}
        with self._bars("greedy search", self._full_cost - min(costs), "") as bar:
            for cost, quantisers in search.down_to(costs, bar.update):
                yield costs[cost], quantisers

    def _all_alike(self, budgets: Sequence[float]) -> Iterator[tuple[float, Quantisers]]:
        for budget in budgets:
            fewest = max(self._own.values()) - LEAST_BITS
            found = (uniform(self._own, fewer) for fewer in range(fewest + 1))
            widths = next((w for w in found if self._cost(w) <= budget * self._full_cost), None)
            if widths is None:
                raise ConfigError(
                    f"{budget:g} is less than the cost of the narrowest widths", where="budget", remedy="allow more"
                )
            resized_to = resized(self._description, widths).quantisers
            yield budget, {name: self._nearest_allowed(name, resized_to[name]) for name in widths}

    def _nearest_allowed(self, name: str, quantiser: Quantiser) -> Quantiser:
        """The quantiser with the nearest scale that the tensor may have; its own is among them."""
        shifts = sorted(range(-MAX_QUANTISER_BITS, MAX_QUANTISER_BITS + 1), key=abs)
        moved = (replace(quantiser, exponent=quantiser.exponent + shift) for shift in shifts)
        return next(q for q in moved if self._allowed(name, q))

    def _described(self, method: str, budget: float, quantisers: Quantisers) -> Assignment:
        description = _with(self._description, quantisers)
        adjusted = (description if method == "model" else self._adjusted(description)).quantisers
        widths = {name: quantisers[name].bits for name in self._own}
        before = self._loss()
        return Assignment(
            method=method,
            budget=budget,
            cost=self._cost(widths) / self._full_cost,
            widths=widths,
            exponents={name: quantiser.exponent for name, quantiser in adjusted.items()},
            predicted=self._expansion.total(quantisers),
            measured=self._loss(quantisers) - before,
            adjusted=self._loss(adjusted) - before,
        )


def _with(description: NetworkDescription, quantisers: Mapping[str, Quantiser]) -> NetworkDescription:
    return replace(description, quantisers={**description.quantisers, **quantisers})


_Method = Callable[[Assigner, Sequence[float]], Iterator[tuple[float, Quantisers]]]
METHODS: dict[str, _Method] = {
    "model": Assigner._as_it_is,
    "hessian": Assigner._by_hessian,
    "renewed": Assigner._by_renewed_hessian,
    "greedy": Assigner._by_greed,
    "uniform": Assigner._all_alike,
}

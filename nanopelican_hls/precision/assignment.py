"""The choice of widths with the lowest predicted loss under a budget, by integer linear programming."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from nanopelican_hls.errors import ConfigError
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.precision.cost import Cost
from nanopelican_hls.precision.loss import MeasuredLoss
from nanopelican_hls.precision.sensitivity import LossExpansion
from nanopelican_hls.precision.widths import LEAST_BITS

#: precision of floating-point sums, as a fraction of the full cost
TOLERANCE = 1e-12
#: the expansion is not trusted where the measured increase of the loss exceeds `TRUST` times the predicted one plus
#: `TRUST_FROM`
TRUST, TRUST_FROM = 2.0, 2e-4
#: the absolute gap of the solver is 1e-6; in these units it is 1e-12 of loss
LOSS_UNIT = 1e-6


@dataclass(frozen=True, eq=False)
class Option:
    """Quantisers of the tensors of a block, and the predicted increase of the loss."""

    quantisers: dict[str, Quantiser]
    increase: float

    @property
    def widths(self) -> dict[str, int]:
        return {name: quantiser.bits for name, quantiser in self.quantisers.items()}


def options(
    expansion: LossExpansion,
    loss: MeasuredLoss,
    own: dict[str, Quantiser],
    allowed: Callable[[str, Quantiser], bool],
) -> list[Option]:
    """The narrower widths of a block, each with the common scale of lowest predicted loss.

    The grid stays the same, or becomes coarser by at most the number of bits lost. An expansion does not see beyond an
    inactive ReLU or beyond saturation, so the loss is also measured once with only this block changed, and a choice
    with a far too low prediction is dropped. The increase is `cautious_increase`, and never below that of any wider
    choice.

    Parameters
    ----------
    expansion : LossExpansion
        Predicts the loss.
    loss : MeasuredLoss
        Loss of the network around which it is expanded.
    own : dict of str to Quantiser
        The current quantisers of the block.
    allowed : callable
        Whether a tensor may have a quantiser: `widths.allowed`.

    Returns
    -------
    list of Option
        The current quantisers first.
    """
    now, found = loss(), [Option(own, 0.0)]
    for widths in product(*(range(quantiser.bits, LEAST_BITS - 1, -1) for quantiser in own.values())):
        lost = max(quantiser.bits - bits for quantiser, bits in zip(own.values(), widths, strict=True))
        if not lost:
            continue
        for option in sorted(_scaled(expansion, own, widths, lost), key=lambda option: option.increase):
            permitted = all(allowed(name, quantiser) for name, quantiser in option.quantisers.items())
            if permitted and loss(option.quantisers) - now <= TRUST * option.increase + TRUST_FROM:
                found.append(option)
                break
    return [replace(option, increase=_worst_of_wider(found, option)) for option in found]


def _scaled(
    expansion: LossExpansion, own: dict[str, Quantiser], widths: tuple[int, ...], lost: int
) -> Iterator[Option]:
    for up in range(lost + 1):
        quantisers = {
            name: replace(quantiser, bits=bits, exponent=quantiser.exponent + up)
            for (name, quantiser), bits in zip(own.items(), widths, strict=True)
        }
        yield Option(quantisers, sum(expansion.cautious_increase(*item) for item in quantisers.items()))


def _worst_of_wider(found: Sequence[Option], option: Option) -> float:
    return max(
        other.increase for other in found if all(other.widths[name] >= bits for name, bits in option.widths.items())
    )


def lowest_loss(blocks: Sequence[Sequence[Option]], cost: Cost, budget: float) -> dict[str, Quantiser]:
    """Quantisers with the lowest sum of predicted increases whose cost is within the budget.

    Exact for a cost that is a sum over tensors. Any other cost is linearised around the widest choice, and the limit on
    the linear cost is lowered by the excess until the true cost is within the budget.

    Parameters
    ----------
    blocks : sequence of sequences of Option
        One option of each block is chosen; the first is the widest.
    cost : Cost
        Cost of widths.
    budget : float
        In the units of the cost.

    Raises
    ------
    ConfigError
        If no choice is within the budget.
    """
    widest = _widths([block[0] for block in blocks])
    full = cost(widest)
    costs = [[cost({**widest, **option.widths}) - full for option in block] for block in blocks]
    limit = budget - full
    while True:
        chosen = _solve(blocks, costs, limit)
        if chosen is None:
            raise ConfigError(
                f"no choice of widths meets the budget ({budget:.0f}; the widest choice costs {full:.0f})",
                where="budget",
                remedy=f"use a larger budget; no quantiser gets fewer than {LEAST_BITS} bits",
            )
        excess = cost(_widths(chosen)) - budget
        if excess <= TOLERANCE * full:
            return {name: quantiser for option in chosen for name, quantiser in option.quantisers.items()}
        limit -= excess


def _solve(blocks: Sequence[Sequence[Option]], costs: Sequence[Sequence[float]], limit: float) -> list[Option] | None:
    """Choose one option of each block, one binary variable per option; None if no choice is within the limit."""
    sizes = [len(block) for block in blocks]
    one_each = np.repeat(np.eye(len(blocks)), sizes, axis=1)
    flat_costs = np.concatenate([np.asarray(c, dtype=float) for c in costs])
    increases = np.array([option.increase for block in blocks for option in block])
    solution = milp(
        increases / LOSS_UNIT,
        integrality=np.ones(len(increases)),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(one_each, 1, 1), LinearConstraint(flat_costs, -np.inf, limit)],
        options={"mip_rel_gap": 0.0},
    )
    if solution.x is None:
        return None
    every = [option for block in blocks for option in block]
    return [every[k] for k in np.flatnonzero(solution.x > 0.5)]


def _widths(chosen: Sequence[Option]) -> dict[str, int]:
    return {name: bits for option in chosen for name, bits in option.widths.items()}

"""The choice of all widths that has the lowest predicted loss under a budget: an integer linear program."""

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

#: sums of floating point numbers are known no better, as a fraction of the full cost
TOLERANCE = 1e-12
#: a measured growth of the loss above `TRUST` times the predicted one, plus `TRUST_FROM`, says that the expansion fails
TRUST, TRUST_FROM = 2.0, 2e-4
#: the solver's absolute gap is 1e-6; in these units it is 1e-12 of loss
LOSS_UNIT = 1e-6


@dataclass(frozen=True, eq=False)
class Option:
    """Quantisers of the tensors of a block, and what the loss is predicted to grow by."""

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
    """The narrower widths of a block, each with the common scale of the lowest predicted loss.

    The grid stays, or gets coarser by as many bits as are lost at most. An expansion does not see what lies behind a
    ReLU that is off, or beyond saturation. So the loss is measured once, with this block alone changed, and a choice
    for which the prediction is far too low is left out. The increase is `cautious_increase`, and never below that of
    any wider choice.

    Parameters
    ----------
    expansion : LossExpansion
        Predicts the loss.
    loss : MeasuredLoss
        Of the network around which it is expanded.
    own : dict of str to Quantiser
        The block's quantisers now.
    allowed : callable
        Whether a tensor may have a quantiser: `widths.allowed`.
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

    Exact for a cost that is a sum over tensors. Another one is made linear around the widest choice, and the limit of
    the linear one is lowered by what is too much, until the true cost is within the budget.

    Parameters
    ----------
    blocks : sequence of sequences of Option
        One option of each is taken; the first is the widest.
    cost : Cost
        Of widths.
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
        excess = cost(_widths(chosen)) - budget
        if excess <= TOLERANCE * full:
            return {name: quantiser for option in chosen for name, quantiser in option.quantisers.items()}
        limit -= excess


def _solve(blocks: Sequence[Sequence[Option]], costs: Sequence[Sequence[float]], limit: float) -> list[Option]:
    """One option of each block: binary variables, one after another."""
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
        raise _too_small(limit)
    every = [option for block in blocks for option in block]
    return [every[k] for k in np.flatnonzero(solution.x > 0.5)]


def _widths(chosen: Sequence[Option]) -> dict[str, int]:
    return {name: bits for option in chosen for name, bits in option.widths.items()}


def _too_small(budget: float) -> ConfigError:
    return ConfigError(
        f"no choice of widths costs as little ({budget:.0f})",
        where="budget",
        remedy=f"give a larger budget; no quantiser gets less than {LEAST_BITS} bits",
    )

"""The greedy search: remove one bit at a time, where the measured loss increases least for the cost saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from nanopelican_hls.errors import ConfigError
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.precision.cost import Cost
from nanopelican_hls.precision.loss import MeasuredLoss
from nanopelican_hls.precision.widths import LEAST_BITS

Quantisers = dict[str, Quantiser]


class GreedySearch:
    """Steps from the widths of a network to narrower ones.

    A quantiser loses its top bit (values saturate earlier) or its bottom bit (a coarser grid, for all tensors on it),
    whichever costs less.

    Parameters
    ----------
    loss : MeasuredLoss
        Loss of the initial network; changed by the search.
    cost : Cost
        Determines what narrower quantisers save.
    blocks : sequence of tuple of str
        Tensors that may lose bits, those on one grid together.
    allowed : callable
        Whether a tensor may have a quantiser: `widths.allowed`.
    """

    def __init__(
        self,
        loss: MeasuredLoss,
        cost: Cost,
        blocks: Sequence[tuple[str, ...]],
        allowed: Callable[[str, Quantiser], bool],
    ) -> None:
        self._loss, self._cost, self._blocks, self._allowed = loss, cost, blocks, allowed
        self._chosen = [name for block in blocks for name in block]

    @property
    def quantisers(self) -> Quantisers:
        """Quantisers of the tensors that may lose bits."""
        return {name: self._loss.quantisers[name] for name in self._chosen}

    @property
    def cost(self) -> float:
        return self._cost({name: quantiser.bits for name, quantiser in self.quantisers.items()})

    def down_to(self, budgets: Iterable[float], saved: Callable[[float], object]) -> Iterator[tuple[float, Quantisers]]:
        """Quantisers within each budget, largest first; ``saved`` is called with what each step saves.

        Raises
        ------
        ConfigError
            If no quantiser can lose another bit.
        """
        for budget in sorted(budgets, reverse=True):
            while (cost := self.cost) > budget:
                self._step(cost)
                saved(cost - self.cost)
            yield budget, self.quantisers

    def _step(self, cost: float) -> None:
        now, before = self._loss(), self.quantisers
        moves: list[tuple[float, Quantisers]] = []
        for block in self._blocks:
            for name in block:
                if before[name].bits == LEAST_BITS:
                    continue
                saved = cost - self._cost({n: q.bits - (n == name) for n, q in before.items()})
                moves += [((self._loss(move) - now) / saved, move) for move in self._moves(name, block) if saved > 0]
        if not moves:
            raise ConfigError("no quantiser can lose another bit", where="budget", remedy="use a larger budget")
        self._loss.change(min(moves, key=lambda move: move[0])[1])

    def _moves(self, name: str, block: tuple[str, ...]) -> Iterator[Quantisers]:
        now = {member: self._loss.quantisers[member] for member in block}
        narrower = now | {name: replace(now[name], bits=now[name].bits - 1)}
        for up in (0, 1):
            move = {member: replace(q, exponent=q.exponent + up) for member, q in narrower.items()}
            if all(self._allowed(member, quantiser) for member, quantiser in move.items()):
                yield {member: quantiser for member, quantiser in move.items() if quantiser != now[member]}

"""When each operation of a circuit is done: as late as its results allow, within stages of so many levels of logic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

#: of levels; delays are sums of multiples of 1/64 or coarser
ROUNDING = 1e-6


class Time(NamedTuple):
    """A moment after an event's arrival: whole clock cycles, and levels of logic since the last clock edge."""

    cycle: int
    level: float


class Operation(NamedTuple):
    """An operation by the indices of its operands and its delay in levels.

    An input has none, but an arrival; a constant has neither, and is there at any time.
    """

    operands: tuple[int, ...]
    delay: float
    arrival: Time | None = None

    @property
    def is_constant(self) -> bool:
        return not self.operands and self.arrival is None


def finished(ready: Time, delay: float, levels: float) -> Time:
    """When an operation has its result, whose operands are ready; a register is put before it if it must.

    One that takes longer than a stage gets a stage of its own.
    """
    if ready.level + delay <= levels + ROUNDING:
        return Time(ready.cycle, ready.level + delay)
    return Time(ready.cycle + 1, min(delay, levels))


def _latest_start(finish: Time, delay: float, levels: float) -> Time:
    delay = min(delay, levels)
    if finish.level - delay >= -ROUNDING:
        return Time(finish.cycle, max(0.0, finish.level - delay))
    return Time(finish.cycle - 1, levels - delay)


def as_soon_as_possible(operations: Sequence[Operation], levels: float) -> list[Time]:
    """When each operation has its result at the earliest.

    Parameters
    ----------
    operations : sequence of Operation
        In order: operands come first.
    levels : float
        Levels of logic in a stage.
    """
    times: list[Time] = []
    first = min((operation.arrival for operation in operations if operation.arrival), default=Time(0, 0.0))
    for operation in operations:
        ready = max((times[k] for k in operation.operands if not operations[k].is_constant), default=first)
        times.append(operation.arrival or finished(ready, operation.delay, levels))
    return times


def stages(
    operations: Sequence[Operation], outputs: Sequence[int], levels: float
) -> tuple[list[int | None], list[Time]]:
    """The clock cycle of each operation, as late as the earliest time of the outputs allows.

    Fewer and narrower numbers wait in registers that way: inputs wait outside, where all who need them share one delay.

    Parameters
    ----------
    operations, levels
        As in `as_soon_as_possible`.
    outputs : sequence of int
        Indices of the operations that give the outputs.

    Returns
    -------
    cycles : of each operation; for an input, that in which it is needed; None where no output depends on it.
    times : when the outputs are ready, in their order.
    """
    earliest = as_soon_as_possible(operations, levels)
    latest: list[Time | None] = [None] * len(operations)
    for output in outputs:
        latest[output] = earliest[output]
    for index in reversed(range(len(operations))):
        finish, operation = latest[index], operations[index]
        if finish is None:
            continue
        start = _latest_start(finish, operation.delay, levels)
        latest[index] = finish if start.cycle == finish.cycle else Time(start.cycle, levels)
        for operand in operation.operands:
            known = latest[operand]
            latest[operand] = start if known is None else min(known, start)
    cycles = [None if time is None else time.cycle for time in latest]
    return cycles, [earliest[output] for output in outputs]

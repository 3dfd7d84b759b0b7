"""Scheduling of operations into pipeline stages of limited logic depth, each as late as its results allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

#: tolerance in levels; delays are sums of multiples of 1/64 or coarser
ROUNDING = 1e-6


class Time(NamedTuple):
    """Time since an event's arrival: whole clock cycles, and levels of logic since the last clock edge."""

    cycle: int
    level: float


class Operation(NamedTuple):
    """An operation: indices of its operands, and its delay in levels.

    An input has an arrival instead of operands; a constant has neither, and is always ready.
    """

    operands: tuple[int, ...]
    delay: float
    arrival: Time | None = None

    @property
    def is_constant(self) -> bool:
        return not self.operands and self.arrival is None


def finished(ready: Time, delay: float, levels: float) -> Time:
    """When the result of an operation is ready, given when its operands are; it moves to the next stage if it must.

    An operation that takes longer than a stage gets a stage of its own.
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
    """The earliest time at which each operation is finished.

    Parameters
    ----------
    operations : sequence of Operation
        In topological order: operands first.
    levels : float
        Maximum levels of logic in a stage.
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
    """The clock cycle of each operation, as late as possible without delaying the outputs.

    That takes fewer registers: inputs are delayed outside, once for all consumers, and are narrower than results.

    Parameters
    ----------
    operations, levels
        As in `as_soon_as_possible`.
    outputs : sequence of int
        Indices of the operations whose results are outputs.

    Returns
    -------
    cycles : cycle of each operation; for an input, the cycle in which it is needed; None if no output depends on it.
    times : when each output is ready.
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

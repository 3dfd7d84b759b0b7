"""Whether a tie or a clip of a quantiser can be reached: the solver has an event for it, or shows there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.program import Program
from nanopelican_hls.proof.coverage import Goal, Reach
from nanopelican_hls.solver.decide import Solver, Verdict
from nanopelican_hls.solver.integer import Integer, Space, both
from nanopelican_hls.solver.symbolic import Numbers, reference, variables


@dataclass(frozen=True)
class Found:
    """What the solver knows of a goal.

    Attributes
    ----------
    reach : `Reach.SOLVER`, `Reach.REACHABLE` or `Reach.TIME`.
    event : for a reachable one, float64 arrays [1, ...] by port that reach it.
    """

    reach: Reach
    event: dict[str, NDArray[np.float64]] | None = None


def reachable(program: Program, wanted: Iterable[tuple[str, Goal]], limit_s: float) -> dict[tuple[str, str], Found]:
    """Decide goals, by the tensor that the quantiser writes and the name of the goal.

    Parameters
    ----------
    program : Program
    wanted : pairs of tensor and goal
    limit_s : float
        Time for one element of a tensor, in seconds. The first one without an answer ends the goal.
    """
    space = Space()
    tensors = {port.tensor: variables(program, space, port.tensor) for port in program.inputs}
    nodes = {node.output: node for node in program.nodes}
    solver = Solver(space, limit_s)
    found = {}

    def numbers(tensor: str) -> Numbers:
        """As a function of the integers of the ports, without a cut."""
        if tensor not in tensors:
            for name in nodes[tensor].inputs:
                if name is not None and name not in program.constants:
                    numbers(name)
            tensors[tensor] = reference(program, nodes[tensor], tensors, space)
        return tensors[tensor]

    for tensor, goal in wanted:
        source = nodes[tensor].inputs[0]
        assert source is not None
        elements = numbers(source).integers(program.exponent(source))
        found[tensor, goal.name] = _decide(program, solver, elements, goal)
    return found


def _decide(program: Program, solver: Solver, elements: list[Integer], goal: Goal) -> Found:
    for x in elements:
        answer = solver.never(_condition(x, goal))
        if answer.verdict is Verdict.REFUTED:
            return Found(Reach.REACHABLE, _event(program, answer.counterexample or {}))
        if answer.verdict is not Verdict.PROVED:
            return Found(Reach.TIME)
    return Found(Reach.SOLVER)


def _condition(x: Integer, goal: Goal) -> Integer:
    """1 if an integer is one of the goal's, else 0."""
    assert goal.low is not None and goal.high is not None
    inside = both(1 - x.below(goal.low), x.below(goal.high + 1))
    if goal.modulus == 1:
        return inside
    return both(inside, (x - goal.rest).modulo(goal.modulus.bit_length() - 1).zero())


def _event(program: Program, values: Mapping[str, int]) -> dict[str, NDArray[np.float64]]:
    event = {}
    for port in program.inputs:
        integers = np.zeros((1, *port.shape))
        for place in range(port.elements):
            integers.reshape(-1)[place] = values.get(f"{port.tensor}[{place}]", 0)
        event[port.name] = np.ldexp(integers, port.exponent)
    return event

"""The dataflow in torch: one interpreter for the float and the quantised network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from nanopelican_hls.operators import Operator
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.dataflow import Step, dataflow, outputs, parameters


def execute(
    steps: Iterable[Step], tensors: dict[str, Tensor], quantisers: Mapping[str, Callable[[Tensor], Tensor]]
) -> None:
    """Run operator calls in order, adding their results to ``tensors``.

    Parameters
    ----------
    steps : iterable of Step
        Calls of `dataflow`, each after those whose results it uses.
    tensors : dict of str to Tensor
        Ports (batch axis first), parameters and results of earlier steps; changed in place. A tensor ``t`` with a
        quantiser is stored twice: unquantised as ``t_exact``, quantised as ``t``.
    quantisers : mapping of str to callable
        By tensor name.
    """
    for step in steps:
        some = next(iter(tensors.values()))
        known = tensors | {name: some.new_tensor(value) for name, value in step.constants.items()}
        inputs = [None if name is None else _lookup(known, name) for name in step.inputs]
        value = step.operator.compute(*inputs)
        if step.output in quantisers:
            tensors[f"{step.output}_exact"] = value
            value = quantisers[step.output](value)
        tensors[step.output] = value


def joined_logits(network: NetworkConfig, tensors: Mapping[str, Tensor]) -> Tensor:
    """The outputs [B, 1] among the tensors as logits [B], or [B, K] of K classes."""
    found = [tensors[name][:, 0] for name in outputs(network)]
    return torch.stack(found, 1) if network.classes else found[0]


def _lookup(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    """The tensor named by an input; ``t!`` is the unquantised one, which is ``t`` itself if ``t`` has no quantiser."""
    bare = name.removesuffix("!")
    exact = f"{bare}_exact"
    return tensors[exact] if name != bare and exact in tensors else tensors[bare]


def split(network: NetworkConfig, *, tables: bool) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """The dataflow before and after the first trained parameter.

    The first part (mask, dot products and their sums) is constant for each jet, so it is computed once.
    """
    steps = dataflow(network, tables=tables)
    trained = parameters(network, tables=tables)
    first = next(i for i, step in enumerate(steps) if any(name in trained for name in step.inputs))
    return steps[:first], steps[first:]


class Around(NamedTuple):
    """The steps that one kernel computes together, and the steps before and after them.

    ``chain`` holds operators each of which feeds the next; ``ends``, by operator, the steps that its last one feeds.
    """

    before: tuple[Step, ...]
    chain: tuple[Step, ...]
    ends: Mapping[type[Operator], Step]
    after: tuple[Step, ...]


def around(steps: Iterable[Step], chain: Iterable[type[Operator]]) -> Around:
    """Split the steps around what a kernel computes, given the operator types of its chain (`pair_level.CHAIN`)."""
    steps = tuple(steps)
    found: list[Step] = []
    for kind in chain:
        fed = (s for s in steps if not found or found[-1].output in s.inputs)
        found.append(next(step for step in fed if isinstance(step.operator, kind)))
    ends = {type(step.operator): step for step in steps if found[-1].output in step.inputs}
    inner = {step.output for step in (*found, *ends.values())}
    last = {step.output for step in ends.values()}
    first_end = min(k for k, step in enumerate(steps) if step.output in last)
    before = tuple(step for step in steps[:first_end] if step.output not in inner)
    return Around(before, tuple(found), ends, tuple(step for step in steps[first_end:] if step.output not in inner))

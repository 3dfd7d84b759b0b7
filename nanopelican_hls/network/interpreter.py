"""The dataflow in torch: one interpreter for the float and the quantised network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from torch import Tensor

from nanopelican_hls.operators import Operator
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.dataflow import Step, dataflow, parameters


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


def around(
    steps: Iterable[Step], replaced: Iterable[type[Operator]]
) -> tuple[tuple[Step, ...], tuple[Step, ...], tuple[Step, ...]]:
    """The steps before a chain of operators each of which feeds the next, the chain itself, and the steps after it.

    Parameters
    ----------
    steps : iterable of Step
    replaced : iterable of operator types
        Types in the chain, in order, which one kernel computes together (`pair_level.REPLACED`).
    """
    steps = tuple(steps)
    chain: list[Step] = []
    for kind in replaced:
        fed = (s for s in steps if not chain or chain[-1].output in s.inputs)
        chain.append(next(step for step in fed if isinstance(step.operator, kind)))
    outputs = [step.output for step in steps]
    inner = {step.output for step in chain}
    last = outputs.index(chain[-1].output)
    return tuple(s for s in steps[:last] if s.output not in inner), tuple(chain), steps[last + 1 :]

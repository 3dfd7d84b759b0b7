"""What the tensors of a program are on jets: their extremes, how they fill their types, what is clipped and zero."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.execution import CHUNK, execute, port_arrays
from nanopelican_hls.contract.program import Program
from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.proof.comparison import to_integers

#: bins of a histogram, over the range of the type
BINS = 48


@dataclass
class TensorFacts:
    """Statistics of a tensor over all jets and entries, as integers on its grid.

    Attributes
    ----------
    entries : number of values.
    low, high : the smallest and the largest.
    zeros : number of zeros.
    clipped_low, clipped_high : values below and above the range of a quantiser, before it; None of other operators.
    counts : histogram over the range of the type, which is that of a quantiser, or of the smallest type that holds
        every value that can occur.
    """

    entries: int = 0
    low: int = 0
    high: int = 0
    zeros: int = 0
    clipped_low: int | None = None
    clipped_high: int | None = None
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Observed:
    """Facts by tensor in order of execution, and the values [n, ...] of those that were to be kept."""

    facts: Mapping[str, TensorFacts]
    values: Mapping[str, NDArray[np.float64]]


def type_bounds(program: Program, tensor: str) -> tuple[int, int]:
    """The lowest and the highest integer of a tensor's type."""
    of = program.ranges[tensor]
    low = -(1 << (of.bits - 1)) if of.signed else 0
    return low, low + (1 << of.bits) - 1


def type_name(program: Program, tensor: str) -> str:
    """A type as Vivado HLS writes it: ``ap_fixed<12, 7>`` has 12 bits, 7 of them left of the binary point."""
    of = program.ranges[tensor]
    return f"ap_{'' if of.signed else 'u'}fixed<{of.bits}, {of.integer_bits}>"


def observe(program: Program, ports: Mapping[str, NDArray[np.float64]], keep: Iterable[str]) -> Observed:
    """Execute a program on jets, in chunks; collect the facts of every tensor, and keep outputs and some others."""
    arrays = port_arrays(program, ports)
    facts = {tensor: TensorFacts() for tensor in program.ranges}
    kept: dict[str, list[NDArray[np.float64]]] = {}
    for start in range(0, len(next(iter(arrays.values()))), CHUNK):
        chunk = {name: array[start : start + CHUNK] for name, array in arrays.items()}
        tensors = execute(program, chunk)
        for tensor, of in facts.items():
            _add(of, to_integers(tensors[tensor], program.exponent(tensor))[0], type_bounds(program, tensor))
        for node in program.nodes:
            if node.quantiser:
                (source,) = node.activations.values()
                _add_clipped(facts[node.output], node.quantiser, chunk.get(source, tensors.get(source)))
        for tensor in {*keep, *(port.tensor for port in program.outputs)}:
            kept.setdefault(tensor, []).append(tensors[tensor])
    return Observed(facts, {name: np.concatenate(parts) for name, parts in kept.items()})


def _add(facts: TensorFacts, values: NDArray[np.int64], bounds: tuple[int, int]) -> None:
    low, high = int(values.min()), int(values.max())
    facts.low, facts.high = (min(facts.low, low), max(facts.high, high)) if facts.entries else (low, high)
    facts.entries += values.size
    facts.zeros += int(np.count_nonzero(values == 0))
    edges = np.linspace(bounds[0] - 0.5, bounds[1] + 0.5, min(BINS, bounds[1] - bounds[0] + 1) + 1)
    counts = np.histogram(values, edges)[0]
    facts.counts = facts.counts[: len(counts)] + counts


def _add_clipped(facts: TensorFacts, quantiser: Quantiser, values: NDArray[np.float64] | None) -> None:
    assert values is not None
    scaled = np.ldexp(values, -quantiser.exponent)
    rounded = np.rint(scaled) if quantiser.rounding is Rounding.ROUND else np.floor(scaled)
    facts.clipped_low = (facts.clipped_low or 0) + int(np.count_nonzero(rounded < quantiser.low))
    facts.clipped_high = (facts.clipped_high or 0) + int(np.count_nonzero(rounded > quantiser.high))

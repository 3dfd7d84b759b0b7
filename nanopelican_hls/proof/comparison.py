"""Bit-exact comparison of two executions of a program, as integers at every common tensor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import ContractError


@dataclass(frozen=True)
class Mismatch:
    """The first difference: its location, and both integers on the grid ``2**exponent``.

    A value that is not on the grid (NaN, infinite, or between grid points) is None.
    """

    tensor: str
    jet: int
    index: tuple[int, ...]
    reference: int | None
    other: int | None
    exponent: int

    def __str__(self) -> str:
        index = ", ".join(map(str, self.index))
        return (
            f"tensor {self.tensor!r}, jet {self.jet}, index [{index}]: {self.reference} in the reference, "
            f"{self.other} in the other (grid 2^{self.exponent})"
        )


@dataclass(frozen=True)
class Comparison:
    """Result of `compare`.

    Attributes
    ----------
    jets : number of jets compared.
    tensors : names of the tensors compared, in execution order.
    mismatches : number of jets in which any entry of any tensor differs.
    first : the first difference in execution order, or None.
    differing : number of jets in which a tensor differs, for those that do.
    """

    jets: int
    tensors: tuple[str, ...]
    mismatches: int
    first: Mismatch | None
    differing: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        summary = f"{self.mismatches} of {self.jets} jets differ, {len(self.tensors)} tensors compared"
        return f"{summary}; first: {self.first}" if self.first else summary


def to_integers(values: NDArray[np.float64], exponent: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Values as integers on the grid ``2**exponent``, and a mask of the values that are on the grid."""
    scaled = np.ldexp(np.asarray(values, dtype=np.float64), -exponent)
    on_grid = np.isfinite(scaled) & (np.rint(scaled) == scaled) & (np.abs(scaled) < 2.0**62)
    return np.where(on_grid, scaled, 0).astype(np.int64), on_grid


def compare(
    program: Program, reference: Mapping[str, NDArray[np.float64]], other: Mapping[str, NDArray[np.float64]]
) -> Comparison:
    """Compare two executions as integers.

    Parameters
    ----------
    program : Program
        Defines the order and the grids of the tensors.
    reference, other : mapping of str to float64 array [n, ...]
        Tensors by name; tensors of the program that both contain are compared.

    Raises
    ------
    ContractError
        If there are no jets, an output is missing, or shapes differ.
    """
    shared = [t for t in program.ranges if t in reference and t in other]
    missing = [port.tensor for port in program.outputs if port.tensor not in shared]
    if missing:
        raise ContractError(
            "the output is missing from one of the two executions",
            where=f"tensor {missing[0]!r}",
            remedy="compare executions of the same program",
        )
    jets = len(reference[shared[0]])
    if jets == 0:
        raise ContractError("no jets to compare", remedy="pass at least one event")
    differs = np.zeros(jets, dtype=bool)
    first: Mismatch | None = None
    differing: dict[str, int] = {}
    for tensor in shared:
        a, b = reference[tensor], other[tensor]
        if a.shape != b.shape or len(a) != jets:
            raise ContractError(
                f"shapes differ: {a.shape} and {b.shape}",
                where=f"tensor {tensor!r}",
                remedy="compare executions of the same jets",
            )
        exponent = program.exponent(tensor)
        (a_int, a_ok), (b_int, b_ok) = to_integers(a, exponent), to_integers(b, exponent)
        wrong = (a_int != b_int) | ~a_ok | ~b_ok
        if wrong.any():
            of_tensor = wrong.reshape(jets, -1).any(axis=1)
            differs |= of_tensor
            differing[tensor] = int(of_tensor.sum())
            if first is None:
                at = tuple(int(i) for i in np.argwhere(wrong)[0])
                first = Mismatch(
                    tensor=tensor,
                    jet=at[0],
                    index=at[1:],
                    reference=int(a_int[at]) if a_ok[at] else None,
                    other=int(b_int[at]) if b_ok[at] else None,
                    exponent=exponent,
                )
    return Comparison(jets=jets, tensors=tuple(shared), mismatches=int(differs.sum()), first=first, differing=differing)


def merge(parts: Sequence[Comparison]) -> Comparison:
    """Merge the comparisons of consecutive chunks of events."""
    first = None
    offset = 0
    for part in parts:
        if first is None and part.first is not None:
            first = replace(part.first, jet=part.first.jet + offset)
        offset += part.jets
    return Comparison(
        jets=offset,
        tensors=parts[0].tensors,
        mismatches=sum(part.mismatches for part in parts),
        first=first,
        differing=dict(sum((Counter(part.differing) for part in parts), Counter())),
    )

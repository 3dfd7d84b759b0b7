"""ParticleMask: which particles are valid (docs/network.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, broadcast_rows, concatenate, constant, nonzero
from nanopelican_hls.operators.base import CustomOperator, Shape


@dataclass(frozen=True)
class ParticleMask(CustomOperator):
    """1 for a valid particle, else 0: leading component [B, N] -> [B, M], M = spurions + N.

    A constituent is valid iff its quantised E (or q+) is not 0; spurions come first and are always valid.
    """

    inputs = ("c0",)
    axes = ("BN",)

    spurions: int = 0

    def compute(self, *inputs: Array | None) -> Array:
        (c0,) = inputs
        assert c0 is not None
        mask = nonzero(c0)
        if not self.spurions:
            return mask
        return concatenate([broadcast_rows(constant([1.0] * self.spurions, like=mask), mask.shape[0]), mask], axis=1)

    def shape(self, *shapes: Shape | None) -> Shape:
        sizes = self.sizes(*shapes)
        return (sizes["B"], sizes["N"] + self.spurions)

    def hls_config(self, *shapes: Shape | None) -> dict[str, int]:
        return {"n_constituents": self.sizes(*shapes)["N"], "n_spurions": self.spurions}

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        return FixedRange(0, 1, 0)

"""ParticleMask: which particles are there (docs/network.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, broadcast_rows, concatenate, constant, nonzero
from nanopelican_hls.operators.base import Operator, Shape


class ParticleMask(Operator):
    """1 for a valid particle, else 0: leading component [B, N] -> [B, M], M = spurions + N.

    A constituent is valid iff its quantised E (or q+) is not 0; spurions come first and are always valid.
    """

    name = "ParticleMask"
    inputs = ("c0",)
    axes = ("BN",)
    attributes = {"spurions": 0}

    @classmethod
    def compute(cls, *inputs: Array | None, spurions: int) -> Array:
        (c0,) = inputs
        assert c0 is not None
        mask = nonzero(c0)
        if not spurions:
            return mask
        return concatenate([broadcast_rows(constant([1.0] * spurions, like=mask), mask.shape[0]), mask], axis=1)

    @classmethod
    def shape(cls, *shapes: Shape | None, spurions: int) -> Shape:
        sizes = cls.sizes(*shapes)
        return (sizes["B"], sizes["N"] + spurions)

    @classmethod
    def hls_config(cls, *shapes: Shape | None, spurions: int) -> dict[str, int]:
        return {"n_constituents": cls.sizes(*shapes)["N"], "n_spurions": spurions}

    @classmethod
    def range(
        cls, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any], spurions: int
    ) -> FixedRange:
        return FixedRange(0, 1, 0)

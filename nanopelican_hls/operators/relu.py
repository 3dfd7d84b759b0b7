"""Relu: the standard ONNX operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange
from nanopelican_hls.operators._arrays import Array, rectified
from nanopelican_hls.operators.base import Elementwise, Shape


@dataclass(frozen=True)
class Relu(Elementwise):
    """``max(x, 0)``, elementwise."""

    def compute(self, *inputs: Array | None) -> Array:
        (x,) = inputs
        assert x is not None
        return rectified(x)

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        (x,) = ranges
        assert x is not None
        return x.rectified()

"""Quant: the QONNX operator, restricted to what the contract allows (docs/contract.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nanopelican_hls.fixed_point import FixedRange, Quantiser
from nanopelican_hls.operators._arrays import Array, quantised
from nanopelican_hls.operators.base import Elementwise, Shape


@dataclass(frozen=True)
class Quant(Elementwise):
    """A `Quantiser`, elementwise; in the file it has three more inputs, all constant (contract/quant.py)."""

    quantiser: Quantiser

    def compute(self, *inputs: Array | None) -> Array:
        (x,) = inputs
        assert x is not None
        return quantised(x, self.quantiser)

    def range(
        self, *ranges: FixedRange | None, shapes: Sequence[Shape | None], values: Mapping[str, Any]
    ) -> FixedRange:
        return self.quantiser.range

"""A fixed-point quantiser as a Brevitas module: the values of `Quantiser`, with straight-through gradients."""

from __future__ import annotations

import math

import torch
from brevitas.core.bit_width import BitWidthConst
from brevitas.core.function_wrapper import FloorSte, Identity, RoundSte
from brevitas.core.quant import IntQuant, PrescaledRestrictIntQuant
from torch import Tensor, nn

from nanopelican_hls.fixed_point import Quantiser, Rounding

_FLOAT_TO_INT = {Rounding.ROUND: RoundSte, Rounding.FLOOR: FloorSte}


class TensorQuantiser(nn.Module):
    """Brevitas integer quantiser with scalar power-of-two scale, zero point 0 and saturation.

    Evaluated in float64 it equals `Quantiser.__call__` exactly: dividing by a power of two is exact. Its gradient is 1
    inside the range and 0 where it saturates. The scale is a buffer: calibrated, never trained by gradient. While
    `enabled` is False, as needed for calibration, values pass through unchanged.
    """

    scale: Tensor

    def __init__(self, quantiser: Quantiser) -> None:
        super().__init__()
        self.bits, self.signed, self.rounding = quantiser.bits, quantiser.signed, quantiser.rounding
        self.enabled = True
        self.register_buffer("scale", torch.tensor(quantiser.scale, dtype=torch.float64))
        self._brevitas = PrescaledRestrictIntQuant(
            IntQuant(
                narrow_range=False,
                signed=quantiser.signed,
                input_view_impl=Identity(),
                float_to_int_impl=_FLOAT_TO_INT[quantiser.rounding](),
            ),
            BitWidthConst(quantiser.bits),
        )

    @property
    def exponent(self) -> int:
        """The scale is ``2**exponent``."""
        return math.frexp(self.scale.item())[1] - 1

    @exponent.setter
    def exponent(self, exponent: int) -> None:
        self.scale.fill_(2.0**exponent)

    @property
    def quantiser(self) -> Quantiser:
        return Quantiser(self.bits, self.signed, self.exponent, self.rounding)

    def forward(self, x: Tensor) -> Tensor:
        return self._brevitas(x, self.scale)[0] if self.enabled else x

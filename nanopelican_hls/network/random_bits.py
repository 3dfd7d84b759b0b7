"""Random bits for dropout, four values per draw: drawing them singly took a third of a training step."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor

_PER_DRAW = 4
_VALUES = 1 << 16


def uniform_int16(shape: Sequence[int], device: torch.device) -> Tensor:
    """Independent, uniform 16-bit integers from torch's global generator."""
    count = prod(shape)
    draws = torch.empty(-(-count // _PER_DRAW), dtype=torch.int64, device=device).random_(-(1 << 63), None)
    return draws.view(torch.int16)[:count].view(*shape)


def kept_factors(uniform: Tensor, rate: float, dtype: torch.dtype) -> Tensor:
    """Dropout factors: 0 with probability ``rate`` (in steps of 2**-16), else the factor that preserves the mean."""
    kept = torch.empty(uniform.shape, dtype=dtype, device=uniform.device)
    return torch.ge(uniform, round(rate * _VALUES) - _VALUES // 2, out=kept).mul_(1 / (1 - rate))

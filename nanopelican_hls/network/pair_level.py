"""The pair level in one pass: mixing, ReLU, quantiser and sum over pairs, with gradients.

The operators `CHAIN` and the sums after them define the computation; they would store several entries for every pair
and channel. Here jets are grouped by similar multiplicity into groups that fit in a processor's cache, padding after
the last valid particle is cut off, and the gradients are summed immediately: no array of pair size is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nanopelican_hls.fixed_point import Rounding
from nanopelican_hls.network.random_bits import kept_factors, uniform_int16
from nanopelican_hls.network.tensor_quantiser import TensorQuantiser
from nanopelican_hls.operators.pair_mix import PairMix
from nanopelican_hls.operators.relu import Relu

#: the operators computed here, each of which feeds the next, with `PairSum` and `SpurionSum` after the last one; the
#: output of Relu may have a quantiser
CHAIN = (PairMix, Relu)
#: entries per group of jets: on a CPU few enough for the cache of a core, on a GPU enough to keep it busy
ENTRIES_PER_GROUP = {"cpu": 1 << 16, "cuda": 1 << 25}


class PairSums(NamedTuple):
    """Sums over the ordered pairs i != j of valid particles, each [B, C].

    ``total`` and ``squares`` are the sums of the ReLU outputs and of their squares. ``kept`` is the total after
    dropout, which drops entries and scales up the others; without dropout it is the total. ``apart`` is the sum over
    the pairs of particle 0 alone, after dropout.
    """

    total: Tensor
    squares: Tensor
    kept: Tensor
    apart: Tensor


@dataclass(frozen=True)
class PairSettings:
    """What is applied to the ReLU output.

    ``quantiser`` quantises it, with gradient 1 inside the range and 0 where it saturates. ``squares`` requests the sum
    of squares (for BatchNorm). ``dropout`` is the dropout probability of an entry, drawn from torch's global generator.
    ``apart`` requests the sum over the pairs of particle 0.
    """

    quantiser: TensorQuantiser | None = None
    squares: bool = False
    dropout: float = 0.0
    apart: bool = False


def pair_sums(
    square: Tensor, row: Tensor, column: Tensor, w_d: Tensor, mask: Tensor, settings: PairSettings
) -> PairSums:
    """Sums of ``relu(w_d d_ij + row_i + column_j)``.

    Parameters
    ----------
    square : Tensor [B, M, M]
        Symmetric products d_ij; the diagonal is ignored. No gradient flows into it.
    row, column : Tensor [B, M, C]
        The same tensor in the symmetric form.
    w_d : Tensor [C]
    mask : Tensor [B, M]
        1 for valid particles.
    settings : PairSettings
    """
    total, squares, kept, apart = _PairLevel.apply(square, row, column, w_d, mask, settings)  # type: ignore[no-untyped-call]
    return PairSums(total, squares, kept if settings.dropout else total, apart)


class _Gradient:
    """Derivatives of one output [B, C] by row, column [B, M, C] and w_d [B, C]; jets are independent."""

    def __init__(self, row: Tensor) -> None:
        batch, _, channels = row.shape
        self.row, self.column, self.w_d = torch.zeros_like(row), torch.zeros_like(row), row.new_zeros(batch, channels)

    def store(self, where: tuple[Tensor, slice, int], slopes: Tensor, d: Tensor) -> None:
        """Sum the derivatives by z of the entries [b, n, n] of a group."""
        self.row[where], self.column[where] = slopes.sum(2), slopes.sum(1)
        self.w_d[where[0], where[2]] = _inner(slopes, d)

    def store_apart(self, where: tuple[Tensor, slice, int], slopes: Tensor, d: Tensor) -> None:
        """The same of the entries of particle 0, [b, 0, n] and [b, n, 0], alone."""
        in_row, in_column = slopes[:, 0], slopes[:, :, 0]
        by_row, by_column = in_column.clone(), in_row.clone()
        by_row[:, 0], by_column[:, 0] = in_row.sum(1), in_column.sum(1)
        self.row[where], self.column[where] = by_row, by_column
        self.w_d[where[0], where[2]] = _inner(in_row, d[:, 0]) + _inner(in_column, d[:, :, 0])


class _PairLevel(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, square: Tensor, row: Tensor, column: Tensor, w_d: Tensor, mask: Tensor, settings: PairSettings
    ) -> tuple[Tensor, ...]:
        batch, _, channels = row.shape
        total, squares, kept, apart = (row.new_zeros(batch, channels) for _ in range(4))
        gradients = tuple(_Gradient(row) for _ in range(4)) if any(ctx.needs_input_grad) else ()
        outside = (mask == 0)[:, :, None]
        row, column = row.masked_fill(outside, -torch.inf), column.masked_fill(outside, -torch.inf)
        for jets, size in _groups(mask):
            d = square[:, :size, :size].index_select(0, jets)
            for channel in range(channels):
                where = (jets, slice(size), channel)
                value, slopes = _rectified(
                    _mixed(d, row[where], column[where], w_d[channel]), settings, bool(gradients)
                )
                total[jets, channel] = value.sum((1, 2))
                if settings.squares:
                    squares[jets, channel] = _inner(value, value)
                if settings.dropout:
                    factors = kept_factors(uniform_int16(value.shape, value.device), settings.dropout, value.dtype)
                    kept[jets, channel] = _inner(value, factors)
                if settings.apart and size:
                    shown = value * factors if settings.dropout else value
                    apart[jets, channel] = shown[:, 0].sum(1) + shown[:, :, 0].sum(1)
                if gradients:
                    gradients[0].store(where, slopes, d)
                    if settings.squares:
                        gradients[1].store(where, value.mul_(2).mul_(slopes), d)
                    if settings.apart and size:
                        gradients[3].store_apart(where, factors * slopes if settings.dropout else slopes, d)
                    if settings.dropout:
                        gradients[2].store(where, factors.mul_(slopes), d)
        ctx.gradients = gradients
        return total, squares, kept, apart

    @staticmethod
    def backward(ctx: Any, *of_outputs: Tensor) -> tuple[Tensor | None, ...]:
        pairs = list(zip(of_outputs, ctx.gradients, strict=True))
        row = sum(above[:, None, :] * gradient.row for above, gradient in pairs)
        column = sum(above[:, None, :] * gradient.column for above, gradient in pairs)
        w_d = sum((above * gradient.w_d).sum(0) for above, gradient in pairs)
        return None, row, column, w_d, None, None


def leading_particles(mask: Tensor) -> Tensor:
    """How many leading particles include all valid ones, from the mask [b, M]: integers [b]."""
    positions = torch.arange(1, mask.shape[1] + 1, device=mask.device, dtype=mask.dtype)
    return (mask * positions).amax(1).long()


def _groups(mask: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Indices of jets of similar multiplicity, and the number of leading particles that include all valid ones."""
    # largest first: the first jet of a group sets how many fit, so larger ones after it would overflow the group
    sizes, order = torch.sort(leading_particles(mask), descending=True)
    lengths = sizes.tolist()
    entries = ENTRIES_PER_GROUP[mask.device.type]
    start = 0
    while start < len(lengths):
        stop = start + max(1, entries // max(1, lengths[start]) ** 2)
        yield order[start:stop], lengths[start]
        start = stop


def _mixed(d: Tensor, row: Tensor, column: Tensor, w_d: Tensor) -> Tensor:
    z = d * w_d
    z += row[:, :, None]
    z += column[:, None, :]
    z.diagonal(dim1=1, dim2=2).fill_(-torch.inf)
    return z


def _rectified(z: Tensor, settings: PairSettings, needs_slopes: bool) -> tuple[Tensor, Tensor]:
    """ReLU and quantiser, in place, and their derivative (computed only if needed)."""
    # compare directly into floating point: converting booleans would dominate the time here
    slopes = torch.gt(z, 0, out=torch.empty_like(z)) if needs_slopes else z
    value = z.clamp_(min=0)
    if settings.quantiser is None or not settings.quantiser.enabled:
        return value, slopes
    grid = settings.quantiser.quantiser
    value.div_(grid.scale)
    value = value.floor_() if grid.rounding is Rounding.FLOOR else value.round_()
    if needs_slopes:
        slopes *= value <= grid.high
    return value.clamp_(max=grid.high).mul_(grid.scale), slopes


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """Sum of the elementwise products of the entries [b, n, n] of each jet."""
    result: Tensor = torch.linalg.vecdot(a.flatten(1), b.flatten(1))
    return result

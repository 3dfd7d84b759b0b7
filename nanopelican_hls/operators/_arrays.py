"""The few array operations that the operators need, for both numpy arrays and torch tensors.

The semantics of every operator are written once, in terms of these and of ``+ - * @``: numpy executes the contract,
torch trains through it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.fixed_point import Quantiser

Array = Any  # numpy.ndarray, torch.Tensor, or an array that records or traces operations


def _torch_of(x: Array) -> Any:
    """The torch module if ``x`` is a torch tensor, else None (torch is never imported here)."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(x, torch.Tensor) else None


def constant(value: Any, like: Array) -> Array:
    """``value`` as an array of the same library, precision and device as ``like``."""
    torch = _torch_of(like)
    if torch is None:
        return np.asarray(value, dtype=like.dtype)
    return torch.as_tensor(np.asarray(value), dtype=like.dtype, device=like.device)


def take(x: Array, index: NDArray[np.intp], axis: int) -> Array:
    """Entries ``index`` of ``x`` along ``axis``."""
    torch = _torch_of(x)
    if torch is None:
        return np.take(x, index, axis=axis)
    return torch.index_select(x, axis, torch.as_tensor(index, device=x.device))


def concatenate(arrays: Sequence[Array], axis: int) -> Array:
    torch = _torch_of(arrays[0])
    return (torch.cat if torch else np.concatenate)(tuple(arrays), axis)


def broadcast_rows(row: Array, batch: int) -> Array:
    """A [K] array repeated to [batch, K]."""
    torch = _torch_of(row)
    return row.expand(batch, -1) if torch else np.broadcast_to(row, (batch, *row.shape))


def nonzero(x: Array) -> Array:
    """1.0 where ``x`` is not 0, else 0.0, in the precision of ``x``."""
    torch = _torch_of(x)
    return (x != 0).to(x.dtype) if torch else (x != 0).astype(x.dtype)


def as_index(x: Array) -> Array:
    """Integers stored as floating point, converted to indices."""
    torch = _torch_of(x)
    return x.long() if torch else x.astype(np.intp)


def floored(x: Array) -> Array:
    """The largest whole numbers not above ``x``."""
    return np.floor(x) if isinstance(x, np.ndarray) else x.floor()


def rectified(x: Array) -> Array:
    """``max(x, 0)``; symbolic arrays have their own method."""
    torch = _torch_of(x)
    if torch is not None:
        return torch.relu(x)
    return np.maximum(x, 0) if isinstance(x, np.ndarray) else x.rectified()


def quantised(x: Array, quantiser: Quantiser) -> Array:
    """``x`` quantised; symbolic arrays have their own method (torch: network/tensor_quantiser.py)."""
    return quantiser(x) if isinstance(x, np.ndarray) else x.quantised(quantiser)


#: pairs grow with the square, and the incidence matrix with the cube
MOST_CONSTITUENTS = 256


@lru_cache(maxsize=64)
def pairs(m: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and second index of each unordered pair of ``m`` particles, in condensed order.

    The order is that of `scipy.spatial.distance.pdist`: (0, 1), (0, 2), ..., (0, m-1), (1, 2), ...
    """
    first, second = np.triu_indices(m, k=1)
    return first, second


def pair_count(m: int) -> int:
    return m * (m - 1) // 2


@lru_cache(maxsize=64)
def incidence(m: int) -> NDArray[np.float64]:
    """0/1 matrix [m(m-1)/2, m] that marks the two particles of each condensed entry."""
    first, second = pairs(m)
    matrix = np.zeros((len(first), m))
    matrix[np.arange(len(first)), first] = 1
    matrix[np.arange(len(first)), second] = 1
    return matrix

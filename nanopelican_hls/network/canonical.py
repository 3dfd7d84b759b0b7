"""The canonical form: one representative of all networks that differ only by scaling and reordering channels.

``k ReLU(z) = (k s) ReLU(z / s)`` for every s > 0, so each channel has one redundant parameter. The canonical form uses
this freedom to set ``|c1| = 1``: in hardware the dot products of the pairs then need no multiplier (docs/formula.md).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanopelican_hls.network.batch_norm import MaskedBatchNorm
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.dataflow import activations, outputs, parameters
from nanopelican_hls.topology.description import NetworkDescription

Parameters = Mapping[str, NDArray[np.float64]]

#: parameters of a channel before its ReLU; the first non-zero one becomes +-1
MIXING = ("c1", "c2", "c3", "c4", "c5", "c6", "b", "b_diag")
READOUT = ("k0", "k1")
#: beginnings of the names of hardware parameters after the ReLU, and of biases; all others are before it
_HARDWARE_READOUT, _HARDWARE_BIAS = ("k_pair", "k_diagonal", "k_spurion"), "logit_bias"


def canonical(net: FloatNetwork) -> FloatNetwork:
    """The canonical network with the same logits, in float64 and evaluation mode.

    * Each channel is divided by ``|c1|``, and its k0 and k1 are multiplied by it. A channel with c1 = 0 is divided by
    the first of c2 to c6, b and b_diag that is not 0; if all are 0 it is left unchanged.
    * The scales of both BatchNorms are absorbed into the weights. Each keeps its offset, ``x + t``, whose effect
    depends on the number of particles, which no parameter of LinEq can reproduce.
    * In the untied form c3 >= c4, since z and its transpose have the same sums. This does not apply to nPELICAN_N,
    where the two have separate exponents shared by all channels.
    * Channels are sorted by descending c1, then k0, then k1 (of every class in turn), then the other parameters.

    Idempotent. ``net`` is not modified.
    """
    net = copy.deepcopy(net).double().eval()
    with torch.no_grad():
        if net.input_norm is not None:
            gain = _only_offset(net.input_norm)
            for name in MIXING[:6]:
                _update(net, name, getattr(net, name) * gain)
        _normalise_channels(net)
        if not (net.network.symmetric or hasattr(net, "alpha")):
            ordered = torch.stack([getattr(net, name) for name in ("c3", "c4")]).sort(0, descending=True).values
            _update(net, "c3", ordered[0])
            _update(net, "c4", ordered[1])
        _order_channels(net)
    return net


def _normalise_channels(net: FloatNetwork) -> None:
    """Divide the parameters before each channel's ReLU by a positive number, and multiply those after it."""
    before = torch.stack([getattr(net, name) for name in MIXING])
    first = before.ne(0).int().argmax(0)
    size = before.gather(0, first[None])[0].abs()
    size = torch.where(size == 0, 1.0, size)
    for name, values in zip(MIXING, before / size, strict=True):
        _update(net, name, values)
    for name in ("b_table", "b_diag_table"):
        if isinstance(net.table(name), Tensor):
            net.get_parameter(name).div_(size)
    if net.hidden_norm is not None:
        net.hidden_norm.running_mean.div_(size)
        # the smaller ReLU output is compensated by a larger normalisation
        net.hidden_norm.weight.mul_(size)
        size = _only_offset(net.hidden_norm)
    for name in _readout(net):
        _update(net, name, getattr(net, name) * size)


def _readout(net: FloatNetwork) -> list[str]:
    return [*READOUT, *(["k0_spurion"] if net.network.spurion_readout else [])]


def _only_offset(norm: MaskedBatchNorm) -> Tensor:
    """Turn ``scale x + offset`` into ``x + offset / scale``; returns the scale, for the weights that follow.

    A scale of 0 leaves a constant, which no weight can reproduce: it is kept, and 1 is returned.
    """
    scale, offset = norm(None)
    gain = torch.where(scale == 0, 1.0, scale)
    norm.weight.copy_(torch.where(scale == 0, 0.0, 1.0))
    norm.bias.copy_(offset / gain)
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.epsilon)  # makes the scale exactly the weight
    return gain


def _order_channels(net: FloatNetwork) -> None:
    rest = [name for name in MIXING if name != "c1"]
    keys = [-row for name in ("c1", *_readout(net), *rest) for row in np.atleast_2d(getattr(net, name).numpy())]
    order = torch.as_tensor(np.lexsort(keys[::-1]))  # numpy's primary key is the last one
    for name in (*MIXING, *_readout(net)):
        _update(net, name, getattr(net, name)[..., order])
    for name in ("b_table", "b_diag_table"):
        if isinstance(net.table(name), Tensor):
            table = net.get_parameter(name)
            table.copy_(table[:, order])
    if net.hidden_norm is not None:
        for values in (net.hidden_norm.weight, net.hidden_norm.bias, net.hidden_norm.running_mean):
            values.copy_(values[order])


def _update(net: FloatNetwork, name: str, values: Tensor) -> None:
    """Set a parameter [C] or [K, C]; in the symmetric form c4 is c3."""
    if name == "c4" and net.network.symmetric:
        return
    parameter: Tensor = getattr(net, "untied_c4" if name == "c4" else name)
    parameter.copy_(values)


def canonical_folded(folded: Parameters, *, common: bool = False) -> dict[str, NDArray[np.float64]]:
    """Hardware parameters with the same logits, in which every ``|w_d|`` is exactly a power of two.

    A product with such a weight is a shift. Other parameters agree to rounding. A channel with w_d = 0 is left
    unchanged, since it needs no multiplier either.

    Parameters
    ----------
    folded : mapping of str to array
        From `fold`, before quantisation; channels are the last axis of every array except the biases of the logits.
    common : bool
        Use one power of two for all channels, the one nearest to the geometric mean, instead of the nearest one per
        channel. Channels share the quantiser of their ReLU, so this costs precision if they differ much in size.
    """
    sizes = np.abs(folded["w_d"])
    if not sizes.any():
        return dict(folded)
    exponents = np.log2(np.where(sizes == 0, 1.0, sizes))
    units = 2.0 ** np.rint(exponents[sizes > 0].mean() if common else exponents)
    sizes = np.where(sizes == 0, units, sizes)
    result = dict(folded)
    for name, values in folded.items():
        if name.startswith(_HARDWARE_READOUT):
            result[name] = values / units * sizes
        elif not name.startswith(_HARDWARE_BIAS):
            result[name] = values / sizes * units  # divide first: w_d itself becomes exactly +-1
    return result


def canonical_description(description: NetworkDescription) -> NetworkDescription:
    """The quantised network with identical integers everywhere, and max ``|w_d|`` within a factor sqrt(2) of 1.

    A power of two is moved from everything upstream of the ReLU outputs and their sums into ``k_pair`` and
    ``k_diagonal``: values and quantiser scales move together, so no integer changes. It is the same power for all
    channels, because channels share each quantiser. If every quantised w_d is 0, nothing is moved.
    """
    largest = np.abs(description.quantisers["w_d"](description.parameters["w_d"])).max()
    if largest == 0:
        return description
    shift = -int(np.rint(np.log2(largest)))
    moved = _shifts(description.network, tables=description.tables, shift=shift)
    return NetworkDescription(
        network=description.network,
        quantisers={
            name: replace(q, exponent=q.exponent + moved.get(name, 0)) for name, q in description.quantisers.items()
        },
        parameters={name: np.ldexp(value, moved[name]) for name, value in description.parameters.items()},
    )


def _shifts(network: NetworkConfig, *, tables: bool, shift: int) -> dict[str, int]:
    """The power of two by which each tensor is scaled; tensors that are left out do not change."""
    shifts = {
        name: -shift if name.startswith(_HARDWARE_READOUT) else 0 if name.startswith(_HARDWARE_BIAS) else shift
        for name in parameters(network, tables=tables)
    }
    inner = list(activations(network))
    return shifts | dict.fromkeys(inner[inner.index("row") : inner.index(outputs(network)[0])], shift)


def multiplier_free(description: NetworkDescription) -> bool:
    """Whether every quantised w_d is 0 or +- a power of two, so that the dot products of the pairs are only shifted."""
    mantissa, _ = np.frexp(description.quantisers["w_d"](description.parameters["w_d"]))
    return bool(np.isin(np.abs(mantissa), (0.0, 0.5)).all())

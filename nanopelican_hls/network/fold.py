"""The exact fold from the parameters of the paper to those of the hardware (docs/network.md).

Nbar, the unit of d and the scale of BatchNorm are absorbed into the weights; the offset of BatchNorm makes the biases
functions of the number n of valid particles: tables with M + 1 rows. The powers of n in nPELICAN_N make tables of the
weights, too. The float network runs through these same functions, so training and hardware share one algebra.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanopelican_hls.network.batch_norm import Affine
from nanopelican_hls.network.paper_parameters import PaperParameters
from nanopelican_hls.topology.dataflow import own_weight, readouts

Parameters = dict[str, Tensor]


def mixing_parameters(net: PaperParameters, norm: Affine | None) -> Parameters:
    """Parameters of LinEq2->2 in factored form; ``norm`` is the BatchNorm of d in units of `net.d_unit`."""
    scale, offset = (1.0, 0.0) if norm is None else norm
    unit = scale * net.d_unit
    x = _fractions(net)
    c2, c3, c4, c5, c6 = (getattr(net, name) * net.multiplicity_factor(name) for name in ("c2", "c3", "c4", "c5", "c6"))
    diagonal_r, diagonal_s = c2 + c3 + c4, c5 + c6
    shift = diagonal_shift = torch.zeros_like(x)
    if norm is not None:
        shift = offset * (net.c1 + (c3 + c4) * x + c5 * x**2)
        diagonal_shift = offset * (net.c1 + diagonal_r * x + diagonal_s * x**2)
    bias = net.b + net.table("b_table") + shift
    diagonal_bias = net.b + net.table("b_table") + net.b_diag + net.table("b_diag_table") + diagonal_shift
    folded = {
        "w_d": net.c1 * unit,
        "row_w_r": c4 * unit / net.nbar,
        "row_w_s": c5 * unit / net.nbar**2,
        "row_bias": bias,
        "diagonal_w_r": diagonal_r * unit / net.nbar,
        "diagonal_w_s": diagonal_s * unit / net.nbar**2,
        "diagonal_bias": diagonal_bias,
    }
    if net.network.symmetric:  # z_ij = w_d d_ij + row_i + row_j: each row carries half of the shared terms
        folded |= {"row_w_s": folded["row_w_s"] / 2, "row_bias": bias / 2}
    else:
        folded["column_w_r"] = c3 * unit / net.nbar
    if net.network.spurion is not None:
        folded[own_weight(net.network.spurion)] = net.c1 * unit
    return folded


def readout_parameters(net: PaperParameters, norm: Affine | None) -> Parameters:
    """Parameters of LinEq2->0; the pair sum excludes the diagonal, whose weight therefore carries both k0 and k1."""
    return {
        f"{name}{readout}": value
        for position, readout in enumerate(readouts(net.network))
        for name, value in _one_readout(net, norm, position).items()
    }


def _one_readout(net: PaperParameters, norm: Affine | None, position: int) -> Parameters:
    scale, offset = (1.0, 0.0) if norm is None else norm
    x = _fractions(net)
    k0, k1 = (net.of_readout(name, position) * net.multiplicity_factor(name) for name in ("k0", "k1"))
    k_pair = k0 / net.nbar**2
    apart = net.of_readout("k0_spurion", position) if net.network.spurion_readout else 0.0
    shift = torch.zeros_like(x)
    if norm is not None:  # n^2 entries, n of them on the diagonal, 2 (n - 1) with the spurion
        shift = (offset * (k0 * x**2 + k1 * x + apart * 2 * (x - 1 / net.nbar) / net.nbar)).sum(1, keepdim=True)
    folded: Parameters = {
        "k_pair": scale * k_pair,
        "k_diagonal": scale * (k_pair + k1 / net.nbar),
        "logit_bias": (net.b0 + net.table("b0_table"))[..., position : position + 1] + shift,
    }
    if net.network.spurion_readout:  # beside what k_pair gives to all pairs
        folded["k_spurion"] = scale * net.of_readout("k0_spurion", position) / net.nbar**2
    return folded


def fold(net: PaperParameters) -> dict[str, NDArray[np.float64]]:
    """Hardware parameters of a trained float network with its tracked statistics, in float64.

    Returns
    -------
    dict of str to float64 array
        One array per name in `dataflow.parameters`.
    """
    net = copy.deepcopy(net).double().eval()
    with torch.no_grad():
        folded = mixing_parameters(net, net.input_affine()) | readout_parameters(net, net.hidden_affine())
    return {name: value.numpy() for name, value in folded.items()}


def _fractions(net: PaperParameters) -> Tensor:
    """``n / Nbar`` [M + 1, 1] for the bias tables; [1, 1] if the biases do not depend on n."""
    rows = net.network.particles + 1 if net.tables else 1
    return torch.arange(rows, dtype=net.c1.dtype, device=net.c1.device)[:, None] / net.nbar

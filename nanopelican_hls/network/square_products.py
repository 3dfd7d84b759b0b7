"""Products of the particles of a jet as full M x M arrays, for the float network: a single matrix product."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanopelican_hls.network.interpreter import execute
from nanopelican_hls.operators._arrays import pairs
from nanopelican_hls.operators._minkowski import dot
from nanopelican_hls.operators.pairwise_dot import BEAMS
from nanopelican_hls.topology.config import Coordinates, NetworkConfig
from nanopelican_hls.topology.dataflow import dataflow

Tensors = dict[str, Tensor]


def particles(network: NetworkConfig, values: Mapping[str, NDArray[np.float64] | Tensor]) -> tuple[Tensor, Tensor]:
    """Four-momenta [B, M, 4] in GeV, spurions first, in the network's coordinates, and mask [B, M]."""
    tensors = {name: torch.as_tensor(value) for name, value in values.items()}
    steps = dataflow(network, tables=False)
    components = next(i for i, step in enumerate(steps) if step.output == "d")
    execute(steps[:components], tensors, {})
    momenta = torch.stack([tensors[name] for name in network.components], 2)
    batch = len(momenta)
    if network.beams:
        momenta = torch.cat([momenta.new_tensor(BEAMS).expand(batch, -1, -1), momenta], 1)
    if network.has_jet:
        # y and z of a jet along the axis are 0
        jet = [tensors.get(f"jet_{name}", momenta.new_zeros(batch, 1)) for name in network.components]
        momenta = torch.cat([torch.stack(jet, 2), momenta], 1)
    return momenta, tensors["mask"]


def square_products(network: NetworkConfig, values: Mapping[str, NDArray[np.float64] | Tensor]) -> Tensors:
    """``mask`` [B, M] and ``square`` [B, M, M], d_ij in GeV^2, from port values, unquantised, in their precision.

    The diagonal is 0, except for d_JJ of the jet spurion. In float32 a product of two constituents of 100 GeV is
    accurate to about 1e-3 GeV^2 in the laboratory frame, which is sufficient for training.
    """
    momenta, mask = particles(network, values)
    square = momenta @ momenta.new_tensor(metric(network.coordinates)) @ momenta.transpose(1, 2)
    square.diagonal(dim1=1, dim2=2)[:, int(network.has_jet) :] = 0
    return {"mask": mask, "square": square}


def unpacked(condensed: Tensor, particles: int) -> Tensor:
    """Condensed products [B, M(M-1)/2] as symmetric arrays [B, M, M] with zero diagonal."""
    padded = torch.nn.functional.pad(condensed, (0, 1))
    index = torch.as_tensor(_positions(particles), device=condensed.device)
    return padded[:, index].view(-1, particles, particles)


@lru_cache(maxsize=64)
def _positions(particles: int) -> NDArray[np.intp]:
    """Positions of the entries of an M x M array in condensed order; the diagonal points one past the end."""
    first, second = pairs(particles)
    positions = np.full((particles, particles), len(first))
    positions[first, second] = positions[second, first] = np.arange(len(first))
    return positions.ravel()


def metric(coordinates: Coordinates) -> list[list[float]]:
    """Matrix of the Minkowski product."""
    basis = np.eye(4).tolist()
    return [[float(dot(a, b, coordinates.value)) for b in basis] for a in basis]

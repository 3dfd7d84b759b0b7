"""Where the binary points stand: power-of-two scales from the data, then moved to where the loss is lowest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from nanopelican_hls.config import Config, NetworkConfig
from nanopelican_hls.contract.dataflow import Role, activations, dataflow, parameters, ports
from nanopelican_hls.contract.description import NetworkDescription
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.network.evaluation import Sample
from nanopelican_hls.network.execution import execute
from nanopelican_hls.network.quantised_network import QuantisedNetwork

#: share of the non-zero values that a calibrated scale does not saturate
COVERAGE = 0.999
#: a port's grid is no finer than 1/64 GeV: the jet's y is 0 up to rounding, and has no scale of its own
FINEST_PORT_EXPONENT = -6
#: tensors on the grid of another, so that the adders of every pair stay narrow
SAME_GRID = {"row": "pair", "column": "pair"}


def calibrated(
    config: Config, folded: Mapping[str, NDArray[np.float64]], values: Mapping[str, NDArray[np.float64]]
) -> NetworkDescription:
    """Quantisers for folded parameters, with the finest scales that cover the values of a sample of jets.

    Parameters
    ----------
    config : Config
        Says which tensors are quantised, how widely, and how they are rounded.
    folded : mapping of str to array
        From `fold`.
    values : mapping of str to array
        Port values of the sample, [B, N] or [B, 1].
    """
    network = config.network
    tables = len(folded["logit_bias"]) > 1
    exact = {name: torch.as_tensor(value) for name, value in {**values, **folded}.items()}
    execute(dataflow(network, tables=tables), exact, {})
    roles = ports(network) | {n: role for n, (role, _) in parameters(network, tables=tables).items()}
    quantisers = {}
    for name, role in (roles | activations(network)).items():
        if getattr(config.quantisers, role.key) is not None:
            coverage = 1.0 if name in folded else COVERAGE
            source = exact[SAME_GRID.get(name, name)].numpy()
            quantisers[name] = _covering(config, role, source, coverage)
    for name in ports(network):
        quantisers[name] = replace(quantisers[name], exponent=_port_exponent(network, quantisers[name].exponent))
    for name, other in SAME_GRID.items():
        if name in quantisers and other in quantisers:
            quantisers[name] = replace(quantisers[name], exponent=quantisers[other].exponent)
    return NetworkDescription(network, quantisers, dict(folded))


def _covering(config: Config, role: Role, source: NDArray[np.float64], coverage: float) -> Quantiser:
    """The quantiser of a role with the finest scale that holds the given share of the non-zero values."""
    chosen = getattr(config.quantisers, role.key)
    quantiser = Quantiser(chosen.bits, role.signed, 0, chosen.rounding)
    magnitudes = np.abs(source[source != 0])
    bound = np.quantile(magnitudes, coverage) if magnitudes.size else 1.0
    return replace(quantiser, exponent=int(np.ceil(np.log2(bound / quantiser.high))))


def _port_exponent(network: NetworkConfig, exponent: int) -> int:
    """The allowed exponent nearest to the given one; with beams, their 1 GeV must be on the grid."""
    coarsest = 0 if network.beams else exponent
    return max(min(exponent, coarsest), FINEST_PORT_EXPONENT)


def refine(
    net: QuantisedNetwork,
    sample: Sample,
    *,
    only_trained: bool,
    sweeps: int = 2,
) -> float:
    """Move scales by factors of two while that lowers the loss on a sample of jets: descent, one scale at a time.

    Parameters
    ----------
    net : QuantisedNetwork
        Changed in place; evaluated in float64.
    sample : Sample
        The jets.
    only_trained : bool
        Leave alone what stands before the first weight, so that its products stay valid.
    sweeps : int
        How often at most to go through all scales.

    Returns
    -------
    float
        The loss reached.
    """
    fixed = net.products(sample.values)
    logits = (lambda: net.logits(fixed)) if only_trained else (lambda: net(sample.values))
    names = [name for name in net.quantisers if not (only_trained and name in fixed)]
    groups = [[n, *(t for t, of in SAME_GRID.items() if of == n and t in names)] for n in names if n not in SAME_GRID]
    target = torch.as_tensor(sample.labels)

    @torch.no_grad()
    def loss() -> float:
        return binary_cross_entropy_with_logits(logits(), target).item()

    best = loss()
    for _ in range(sweeps):
        before = best
        for group in groups:
            best = _descend(net, group, loss, best)
        if best == before:
            break
    return best


def _descend(net: QuantisedNetwork, group: Sequence[str], loss: Callable[[], float], best: float) -> float:
    """Shift the scales of a group down or up while the loss falls; returns the loss."""
    for step in (-1, 1):
        while _shift(net, group, step):
            now = loss()
            if not now < best:
                _shift(net, group, -step)
                break
            best = now
    return best


def _shift(net: QuantisedNetwork, group: Sequence[str], step: int) -> bool:
    """Move the scales of a group; False, and nothing moves, if a port may not have that scale."""
    exponent = net.quantiser(group[0]).exponent + step
    if group[0] in ports(net.network) and _port_exponent(net.network, exponent) != exponent:
        return False
    for name in group:
        net.quantiser(name).exponent += step
    return True

"""Positions of the binary points: power-of-two scales calibrated on data, then moved to minimise the loss."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nanopelican_hls.config import Config
from nanopelican_hls.evaluation.loss import cross_entropy
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.network.interpreter import execute
from nanopelican_hls.network.quantised_network import QuantisedNetwork
from nanopelican_hls.topology.config import NetworkConfig
from nanopelican_hls.topology.dataflow import dataflow, has_tables, ports, words
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.topology.tensor_settings import tensor_settings

#: fraction of the non-zero values that a calibrated scale does not saturate
COVERAGE = 0.999
#: the grid of a port is no finer than 1/64 GeV: y of the jet is 0 up to rounding, which sets no scale
FINEST_PORT_EXPONENT = -6
#: most factors of two by which a scale may move at a time
REACH = 4
#: tensors that share the grid of another, to keep the adders of every pair narrow
SAME_GRID = {"row": "pair", "column": "pair"}


def calibrated(
    config: Config, folded: Mapping[str, NDArray[np.float64]], values: Mapping[str, NDArray[np.float64]]
) -> NetworkDescription:
    """Quantisers for folded parameters, with the finest scales that cover the values of a jet sample.

    Parameters
    ----------
    config : Config
        Says which tensors are quantised, with how many bits, and how they are rounded.
    folded : mapping of str to array
        From `fold`.
    values : mapping of str to array
        Port values of the sample, [B, N] or [B, 1].
    """
    network = config.network
    tables = has_tables(network, folded)
    exact = {name: torch.as_tensor(value) for name, value in {**values, **folded}.items()}
    execute(dataflow(network, tables=tables), exact, {})
    settings = tensor_settings(network, config.quantisers)
    quantisers = {
        name: chosen.holding(chosen.clip or _bound(exact[name].numpy(), 1.0 if name in folded else COVERAGE))
        for name, chosen in settings.items()
    }
    fixed = pinned(config)
    for name, quantiser in quantisers.items():
        if name in fixed:
            continue
        exponent = quantisers[grid(name, quantisers)].exponent
        if name in ports(network):
            exponent = port_exponent(network, exponent)
        quantisers[name] = replace(quantiser, exponent=exponent)
    return NetworkDescription(network, words(network) | quantisers, dict(folded))


def pinned(config: Config) -> frozenset[str]:
    """Tensors whose scale is fixed by a ``clip``."""
    settings = tensor_settings(config.network, config.quantisers)
    return frozenset(name for name, chosen in settings.items() if chosen.clip is not None)


def grid(name: str, quantised: Container[str], fixed: Container[str] = ()) -> str:
    """The tensor whose grid a tensor uses: its own, unless `SAME_GRID` names another and its scale is not fixed."""
    leader = SAME_GRID.get(name, name)
    return leader if leader in quantised and name not in fixed else name


def _bound(values: NDArray[np.float64], coverage: float) -> float:
    """Magnitude that covers the given fraction of the non-zero values."""
    magnitudes = np.abs(values[values != 0])
    return float(np.quantile(magnitudes, coverage)) if magnitudes.size else 1.0


def port_exponent(network: NetworkConfig, exponent: int) -> int:
    """The allowed exponent nearest to the given one; with beams, 1 GeV must be on the grid."""
    coarsest = 0 if network.beams else exponent
    return max(min(exponent, coarsest), FINEST_PORT_EXPONENT)


def place_scales(net: QuantisedNetwork, sample: Sample, fixed: Container[str] = ()) -> None:
    """Choose all scales: quantisers are enabled one by one, each with the scale that minimises the loss.

    Each scale is thus chosen in a network that is otherwise as accurate as possible; moving all scales at once ends
    with the errors of quantisers compensating each other.

    Parameters
    ----------
    net : QuantisedNetwork
        From `calibrated`; changed in place, evaluated in float64.
    sample : Sample
        Jets on which the loss is measured.
    fixed : container of str
        Tensors whose scales do not move: `pinned`.
    """
    for name in _movable(net):
        net.quantiser(name).enabled = False
    adjust_scales(net, sample, fixed)


def adjust_scales(net: QuantisedNetwork, sample: Sample, fixed: Container[str] = ()) -> None:
    """Move every scale that is not fixed to where the loss is lowest, from the ports to the output.

    A disabled quantiser is enabled when its turn comes. Otherwise like `place_scales`.
    """
    before_weights = set(net.products(sample.values))
    first = [name for name in _movable(net) if name in before_weights]
    _search(net, first, fixed, _loss(sample.labels, lambda: net(sample.values)))
    products = net.products(sample.values)
    rest = [name for name in _movable(net) if name not in before_weights]
    _search(net, rest, fixed, _loss(sample.labels, lambda: net.logits(products)))


def _movable(net: QuantisedNetwork) -> list[str]:
    return [name for name in net.quantisers if name not in words(net.network)]


def refine_scales(net: QuantisedNetwork, sample: Sample, fixed: Container[str] = ()) -> None:
    """Move the scales of all trained tensors that are not fixed to where the loss is now lower.

    Products remain valid.
    """
    products = net.products(sample.values)
    names = [name for name in net.quantisers if name not in products]
    _search(net, names, fixed, _loss(sample.labels, lambda: net.logits(products)))


def _loss(labels: NDArray[np.float64], logits: Callable[[], Tensor]) -> Callable[[], float]:
    target = torch.as_tensor(labels)

    @torch.no_grad()
    def loss() -> float:
        return cross_entropy(logits(), target).item()

    return loss


def _search(net: QuantisedNetwork, names: Sequence[str], fixed: Container[str], loss: Callable[[], float]) -> None:
    """Minimise the loss in each scale (or group of scales that share a grid) in turn, enabling it first."""
    for leader in names:
        group = [name for name in names if grid(name, names, fixed) == leader]
        for name in group:
            net.quantiser(name).enabled = True
        if group and leader not in fixed:
            _descend(net, group, loss)


def _descend(net: QuantisedNetwork, group: Sequence[str], loss: Callable[[], float]) -> None:
    """Shift the scales of a group down or up while the loss falls, but not so far that all values vanish."""
    best = loss()
    for step in (-1, 1):
        for _ in range(REACH):
            if not _shift(net, group, step):
                break
            now = loss()
            if not now < best:
                _shift(net, group, -step)
                break
            best = now


def _shift(net: QuantisedNetwork, group: Sequence[str], step: int) -> bool:
    """Move the scales of a group; False, leaving them alone, if a port may not have that scale."""
    exponent = net.quantiser(group[0]).exponent + step
    if group[0] in ports(net.network) and port_exponent(net.network, exponent) != exponent:
        return False
    for name in group:
        net.quantiser(name).exponent += step
    return True

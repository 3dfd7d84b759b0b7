"""Quantiser widths by tensor: which can be chosen, and how they change a configuration and a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from nanopelican_hls.config import Config
from nanopelican_hls.fixed_point import Quantiser
from nanopelican_hls.topology.dataflow import outputs, ports
from nanopelican_hls.topology.description import NetworkDescription
from nanopelican_hls.topology.tensor_settings import tensor_settings
from nanopelican_hls.training.scales import grid, pinned, port_exponent

#: bits by tensor
Widths = Mapping[str, int]

#: the narrowest quantiser of a configuration
LEAST_BITS = 2


def own_widths(config: Config) -> dict[str, int]:
    """Widths in a configuration, of every quantiser except the output and Level-1 words, which are fixed."""
    settings = tensor_settings(config.network, config.quantisers)
    return {name: chosen.bits for name, chosen in settings.items() if name not in outputs(config.network)}


def with_widths(config: Config, widths: Widths, name: str) -> Config:
    """The configuration under another name, with these widths; roundings, signs and clips are unchanged."""
    settings = tensor_settings(config.network, config.quantisers)
    tensors = dict(config.quantisers.tensors or {})
    tensors |= {tensor: replace(settings[tensor], bits=bits) for tensor, bits in widths.items()}
    return replace(config, name=name, quantisers=replace(config.quantisers, tensors=tensors))


def resized(description: NetworkDescription, widths: Widths) -> NetworkDescription:
    """A network with other widths; each quantiser keeps the upper end of its range."""
    changed = {
        name: replace(quantiser, bits=bits, exponent=quantiser.exponent + quantiser.bits - bits)
        for name, bits in widths.items()
        for quantiser in (description.quantisers[name],)
    }
    return replace(description, quantisers={**description.quantisers, **changed})


def blocks(config: Config) -> list[tuple[str, ...]]:
    """Tensors whose widths are chosen together because they share a grid, its leader first."""
    names, fixed = own_widths(config), pinned(config)
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(grid(name, names, fixed), []).append(name)
    return [(leader, *(name for name in members if name != leader)) for leader, members in found.items()]


def allowed(config: Config) -> Callable[[str, Quantiser], bool]:
    """Whether a tensor may have a quantiser: no ``clip`` saturates, and a port has a permitted unit."""
    settings, of_ports = tensor_settings(config.network, config.quantisers), ports(config.network)

    def is_allowed(name: str, quantiser: Quantiser) -> bool:
        clip = settings[name].clip
        if clip is not None:
            return quantiser.range.high * quantiser.scale >= clip
        return name not in of_ports or port_exponent(config.network, quantiser.exponent) == quantiser.exponent

    return is_allowed


def uniform(own: Widths, fewer: int) -> dict[str, int]:
    """All widths reduced by the same number of bits, down to the minimum."""
    return {name: max(LEAST_BITS, bits - fewer) for name, bits in own.items()}

"""Quantiser settings of each tensor: those of its role, or its own."""

from __future__ import annotations

import difflib
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from nanopelican_hls.errors import ConfigError
from nanopelican_hls.topology.dataflow import Role, activations, outputs, parameters, ports, words

if TYPE_CHECKING:
    from nanopelican_hls.topology.config import NetworkConfig, QuantiserConfig, QuantisersConfig


def tensor_settings(
    network: NetworkConfig, quantisers: QuantisersConfig, where: str = "quantisers"
) -> dict[str, QuantiserConfig]:
    """Settings of every tensor with a quantiser, ports and parameters first; `signed` is always set.

    Level-1 words are left out, since their grids are fixed by the format.

    Raises
    ------
    ConfigError
        If settings name an unknown tensor (the message suggests the nearest name), remove a required quantiser, make a
        tensor with negative values unsigned, or put the beams off the grid of a port.
    """
    parameter_roles = {name: role for name, (role, _) in parameters(network, tables=False).items()}
    roles = ports(network) | parameter_roles | activations(network)
    of_tensors = quantisers.tensors or {}
    for name in of_tensors:
        _require_known(network, name, roles, where)
    found = {}
    for name, role in roles.items():
        if name in words(network):
            continue
        source = f"{where}.tensors.{name}" if name in of_tensors else f"{where}.{role.key}"
        settings = of_tensors[name] if name in of_tensors else getattr(quantisers, role.key)
        if settings is None and name in chain(ports(network), parameter_roles, outputs(network)):
            raise ConfigError(
                "is null, but ports, parameters and the output need a quantiser",
                where=source,
                remedy="give it a number of bits",
            )
        if settings is not None:
            found[name] = _checked(network, name, role, settings, source)
    return found


def _require_known(network: NetworkConfig, name: str, roles: dict[str, Role], where: str) -> None:
    if name in words(network):
        what = "set by the Level-1 format" if network.level1 else "that of whole numbers"
        raise ConfigError(f"its grid is {what}", where=f"{where}.tensors.{name}", remedy="remove it")
    if name not in roles:
        near = difflib.get_close_matches(name, roles, n=1, cutoff=0.0)[0]
        raise ConfigError(f"unknown tensor {name!r}", where=f"{where}.tensors", remedy=f"did you mean {near!r}?")


def _checked(network: NetworkConfig, name: str, role: Role, settings: QuantiserConfig, where: str) -> QuantiserConfig:
    if role.signed and settings.signed is False:
        raise ConfigError(
            f"is unsigned, but {name} can be negative", where=where, remedy="remove `signed`, or set it to true"
        )
    signed = role.signed if settings.signed is None else settings.signed
    if signed and settings.bits < 2:
        raise ConfigError(
            f"has 1 bit, but {name} is signed", where=where, remedy="use 2 bits or more; 1 is for unsigned tensors"
        )
    settings = replace(settings, signed=signed)
    if network.beams and name in ports(network) and settings.clip is not None:
        unit = settings.holding(settings.clip).scale
        if unit > 1:
            raise ConfigError(
                f"clip {settings.clip:g} requires a scale of {unit:g} GeV, but the beams need 1 GeV to be on the grid",
                where=where,
                remedy="lower clip, or use more bits",
            )
    return settings

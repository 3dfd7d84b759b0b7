"""Configuration files: typed, strict, one YAML file per model (`configs/`, docs/configuration.md)."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nanopelican_hls.config.firmware import FirmwareConfig
from nanopelican_hls.config.reading import parse, to_mapping
from nanopelican_hls.config.training import InitialValues, Optimiser, Schedule, TrainingConfig
from nanopelican_hls.errors import ConfigError
from nanopelican_hls.topology.config import NetworkConfig, QuantisersConfig
from nanopelican_hls.topology.tensor_settings import tensor_settings

__all__ = [
    "Config",
    "FirmwareConfig",
    "InitialValues",
    "Optimiser",
    "Schedule",
    "TrainingConfig",
    "load_config",
    "parse_mapping",
    "to_mapping",
]


@dataclass(frozen=True)
class Config:
    """A complete configuration; `name` is the stem of its file."""

    name: str
    network: NetworkConfig
    quantisers: QuantisersConfig
    training: TrainingConfig = field(default_factory=TrainingConfig)
    firmware: FirmwareConfig = field(default_factory=FirmwareConfig)

    def __post_init__(self) -> None:
        needed = {"jet_momenta", "d_jet", "d_jj"}
        given = {key for key in needed if getattr(self.quantisers, key) is not None}
        if self.network.has_jet and self.quantisers.jet_momenta is None:
            raise ConfigError(
                "missing, but the network has the jet as spurion", where=f"{self.name}: quantisers.jet_momenta"
            )
        if not self.network.has_jet and given:
            raise ConfigError(
                "set, but the network has no jet spurion",
                where=f"{self.name}: quantisers.{sorted(given)[0]}",
                remedy="remove it, or set `network.spurions: jet`",
            )
        tensor_settings(self.network, self.quantisers, f"{self.name}: quantisers")


def load_config(path: str | Path) -> Config:
    """Read and validate a configuration file.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML, or has an unknown, missing or ill-typed key; the message names the
        key and, for an unknown one, the nearest known one.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = sorted(p.stem for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.stem, known, n=1)
        raise ConfigError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            remedy=f"did you mean {path.with_name(near[0] + '.yaml')}?" if near else "give the path of a YAML file",
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # not text, not a date, or nested too deeply
        raise ConfigError(f"is not valid YAML: {' '.join(str(error).split())}", where=str(path)) from error
    if not isinstance(content, dict):
        raise ConfigError("must be a mapping of sections", where=str(path))
    if "name" in content:
        raise ConfigError("unknown key 'name': a configuration is named after its file", where=str(path))
    config: Config = parse(Config, {"name": path.stem, **content}, str(path))
    return config


def parse_mapping(mapping: dict[str, Any], where: str) -> Config:
    """The inverse of `to_mapping`."""
    config: Config = parse(Config, mapping, where)
    return config

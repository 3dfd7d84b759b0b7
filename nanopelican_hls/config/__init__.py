"""Configuration files: typed, strict, one YAML file per model (`configs/`, docs/configuration.md)."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nanopelican_hls import zoo
from nanopelican_hls.config.firmware import FirmwareConfig
from nanopelican_hls.config.reading import parse, to_mapping
from nanopelican_hls.config.training import InitialValues, Optimiser, Schedule, TrainingConfig
from nanopelican_hls.errors import ConfigError
from nanopelican_hls.topology.config import NetworkConfig, QuantisersConfig
from nanopelican_hls.topology.dataflow import SPURION_QUANTISERS, activations, ports
from nanopelican_hls.topology.result import PLAIN
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
        of_ports = {role.key for role in ports(self.network).values()}
        used = of_ports | {role.key for role in activations(self.network).values()}
        for spurion, keys in SPURION_QUANTISERS.items():
            given = {key for key in keys if getattr(self.quantisers, key) is not None}
            momenta = f"{spurion}_momenta"
            # a rest that is computed may be exact
            if momenta in (used if spurion == "jet" else of_ports) - given:
                raise ConfigError(
                    f"missing, but the network has the {spurion} as spurion"
                    if self.network.spurion == spurion
                    else "missing, but the rest is computed from the jet",
                    where=f"{self.name}: quantisers.{momenta}",
                    remedy="give it a number of bits, as the others have",
                )
            if given - used:
                raise ConfigError(
                    f"set, but the network has no {spurion} spurion",
                    where=f"{self.name}: quantisers.{sorted(given - used)[0]}",
                    remedy=f"remove it, or set `network.spurions: {spurion}`",
                )
        tensor_settings(self.network, self.quantisers, f"{self.name}: quantisers")
        if self.network.classes and (self.firmware.output, self.firmware.threshold) != (PLAIN.output, PLAIN.threshold):
            raise ConfigError(
                "a score and a threshold are for one logit, but the network has several classes",
                where=f"{self.name}: firmware.{'threshold' if self.firmware.threshold is not None else 'output'}",
                remedy="remove it, and compare the logits of the classes downstream",
            )


class _UniqueKeys(yaml.SafeLoader):  # type: ignore[misc]
    """Refuses a mapping that has a key twice, of which YAML's own loader takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for twice in sorted({key for key in keys if keys.count(key) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"key {twice!r} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


def load_config(source: str | Path) -> Config:
    """Read and validate a configuration.

    Parameters
    ----------
    source : str or Path
        Path of the file; or, as a string, the name of a model of the zoo.

    Raises
    ------
    ConfigError
        If the file cannot be read, is not YAML, or has an unknown, missing or ill-typed key; the message names the
        key and, for an unknown one, the nearest known one.
    """
    path = zoo.find(source, ".yaml", ConfigError)
    try:
        text = path.read_bytes()
    except OSError as error:
        known = sorted(p.stem for p in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.stem, known, n=1)
        remedy = "give the path of a YAML file, or a name that `nanopelican zoo` lists"
        if near:
            remedy = f"did you mean {path.with_name(near[0] + '.yaml')}?"
        raise ConfigError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            remedy=remedy,
        ) from error
    try:
        content = yaml.load(text.decode("utf-8"), _UniqueKeys)
    except Exception as error:  # not text, not a date, nested too deeply: the constructors pass on whatever is raised
        raise ConfigError(
            f"is not valid YAML: {' '.join(str(error).split())}",
            where=str(path),
            remedy="correct the line that is named, or start from one of the zoo (nanopelican zoo --copy FOLDER)",
        ) from error
    if not isinstance(content, dict):
        raise ConfigError(
            "must be a mapping of sections",
            where=str(path),
            remedy="start from one of the zoo: nanopelican zoo --copy FOLDER (docs/configuration.md)",
        )
    if "name" in content:
        raise ConfigError(
            "unknown key 'name': a configuration is named after its file",
            where=str(path),
            remedy="remove the key, and rename the file if need be",
        )
    config: Config = parse(Config, {"name": path.stem, **_renamed(content)}, str(path))
    return config


def parse_mapping(mapping: dict[str, Any], where: str) -> Config:
    """The inverse of `to_mapping`."""
    config: Config = parse(Config, _renamed(mapping), where)
    return config


def _renamed(mapping: dict[str, Any]) -> dict[str, Any]:
    """A configuration with today's names: the initiation interval was once called reuse_factor."""
    firmware = mapping.get("firmware")
    if not isinstance(firmware, dict) or "reuse_factor" not in firmware:
        return mapping
    if "interval" in firmware:
        raise ConfigError(
            "is the old name of interval, which is there too", where="firmware.reuse_factor", remedy="remove it"
        )
    return mapping | {"firmware": {"interval" if key == "reuse_factor" else key: v for key, v in firmware.items()}}

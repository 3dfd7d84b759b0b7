"""Configuration files: typed, strict, one YAML file per model (`configs/`)."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from nanopelican_hls.errors import ConfigError
from nanopelican_hls.fixed_point import MAX_QUANTISER_BITS, Quantiser, Rounding
from nanopelican_hls.level1_format import CMS_CORRELATOR, Level1Format
from nanopelican_hls.operators import BEAMS, COMPONENTS


class Spurions(str, Enum):
    """Constant or extra particles put in front of the constituents."""

    NONE = "none"
    BEAMS = "beams"  #: the two beams, constants (cartesian coordinates only)
    JET = "jet"  #: the four-momentum of the whole jet, a second input


class Coordinates(str, Enum):
    """The frame and the components of four-momenta (docs/network.md)."""

    CARTESIAN = "cartesian"  #: (E, px, py, pz) in the laboratory
    LIGHT_CONE = "light_cone"  #: (q+, q-, y, z) along the jet axis


class Input(str, Enum):
    """What the ports of the firmware take."""

    COMPONENTS = "components"  #: the components of four-momenta
    L1 = "l1"  #: words of a Level-1 trigger, pt, eta, phi (docs/level1.md; light-cone coordinates only)


class InitialValues(str, Enum):
    """Where training starts."""

    PHYSICS = "physics"  #: channels that switch on at the top mass (docs/network.md)
    RANDOM = "random"  #: normal weights, biases of 0, as in the paper


class Optimiser(str, Enum):
    """Of float training; AdamW decouples weight decay from the step (arXiv:1711.05101)."""

    ADAM = "adam"
    ADAMW = "adamw"


class Schedule(str, Enum):
    """How the learning rate falls in float training (docs/training.md)."""

    COSINE = "cosine"  #: once, to zero
    WARM_RESTARTS = "warm_restarts"  #: cosines of growing length, each from the top


@dataclass(frozen=True)
class NetworkConfig:
    """The network (docs/network.md): what the QONNX graph computes, apart from the numbers in it."""

    n_constituents: int
    channels: int
    symmetric: bool = True
    spurions: Spurions = Spurions.NONE
    coordinates: Coordinates = Coordinates.LIGHT_CONE
    batch_norm: bool = False
    multiplicity_scaling: bool = False  #: nPELICAN_N: aggregators scale with a learned power of the multiplicity
    input: Input = Input.COMPONENTS

    def __post_init__(self) -> None:
        if self.n_constituents < 2:
            raise ConfigError("a jet needs at least 2 constituents", where="network.n_constituents")
        if self.channels < 1:
            raise ConfigError("at least 1 hidden channel is needed", where="network.channels")
        if self.spurions is Spurions.BEAMS and self.coordinates is not Coordinates.CARTESIAN:
            raise ConfigError(
                "beams are not constants in light-cone coordinates",
                where="network.spurions",
                remedy="use `coordinates: cartesian`, or `spurions: jet` or `none`",
            )
        if self.input is Input.L1 and self.coordinates is not Coordinates.LIGHT_CONE:
            raise ConfigError(
                "Level-1 words become light-cone components only",
                where="network.input",
                remedy="use `coordinates: light_cone`, or `input: components`",
            )

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the four components of a four-momentum."""
        return COMPONENTS[self.coordinates.value]

    @property
    def level1(self) -> Level1Format | None:
        """The format of the words at the ports; None where they take components."""
        return CMS_CORRELATOR if self.input is Input.L1 else None

    @property
    def beams(self) -> int:
        return len(BEAMS) if self.spurions is Spurions.BEAMS else 0

    @property
    def has_jet(self) -> bool:
        return self.spurions is Spurions.JET

    @property
    def n_spurions(self) -> int:
        return self.beams + self.has_jet

    @property
    def particles(self) -> int:
        """M: constituents and spurions."""
        return self.n_constituents + self.n_spurions


@dataclass(frozen=True)
class QuantiserConfig:
    """A kind of quantiser, or that of one tensor.

    Parameters
    ----------
    bits : int
        Width, the sign included.
    rounding : Rounding
        To nearest, or truncation.
    signed : bool, optional
        By default that of the role (docs/network.md).
    clip : float, optional
        A value, in GeV or GeV^2 where the tensor has a unit, that must not saturate: the scale is the finest power of
        two that holds it. By default the scale comes from calibration.
    """

    bits: int
    rounding: Rounding = Rounding.ROUND
    signed: bool | None = None
    clip: float | None = None

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= MAX_QUANTISER_BITS:
            raise ConfigError(f"bits must be 2 to {MAX_QUANTISER_BITS}, not {self.bits}", where="quantisers")
        if self.clip is not None and not (self.clip > 0 and math.isfinite(self.clip)):
            raise ConfigError(f"clip must be positive and finite, not {self.clip}", where="quantisers")

    def holding(self, bound: float) -> Quantiser:
        """The quantiser with the finest scale that holds the positive ``bound``; `signed` must be given."""
        assert self.signed is not None
        quantiser = Quantiser(self.bits, self.signed, 0, self.rounding)
        (fraction, exponent), (high_fraction, high_exponent) = math.frexp(bound), math.frexp(quantiser.high)
        return dataclasses.replace(quantiser, exponent=exponent - high_exponent + (fraction > high_fraction))


@dataclass(frozen=True)
class QuantisersConfig:
    """Where quantisers stand; `null` switches an inner one off, and the exact value passes on.

    ``tensors`` holds the settings of single tensors by name (docs/network.md), in place of those of their roles.
    """

    momenta: QuantiserConfig
    logit: QuantiserConfig
    weights: QuantiserConfig
    biases: QuantiserConfig
    jet_momenta: QuantiserConfig | None = None
    d: QuantiserConfig | None = None
    d_jet: QuantiserConfig | None = None
    d_jj: QuantiserConfig | None = None
    r: QuantiserConfig | None = None
    s: QuantiserConfig | None = None
    mix: QuantiserConfig | None = None
    relu: QuantiserConfig | None = None
    diagonal: QuantiserConfig | None = None
    sums: QuantiserConfig | None = None
    tensors: Mapping[str, QuantiserConfig | None] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class TrainingConfig:
    """Float training, fold, quantisation-aware fine-tuning (docs/training.md).

    ``nbar`` normalises sums over particles while training, and is absorbed by the fold. ``dropout`` leaves out products
    and ReLU outputs. ``warmup_epochs`` come before the schedule and ``decay_epochs``, in each of which the learning
    rate is multiplied by ``decay_factor``, behind it; all count among ``float_epochs``. Cosines with restarts last
    ``restart_epochs``, and each ``restart_factor`` times as long as the one before. Fine-tuning always follows one
    cosine; without ``quantised_epochs`` the model stays a float one. Without ``pair_multipliers`` the weight of d is a
    power of two in every channel from then on: hardware has no multiplier at pair level (docs/formula.md). Scales are
    frozen for the last ``freeze_scales_fraction`` of the quantised epochs. ``max_jets`` cuts the training sample.
    """

    nbar: int = 64
    seeds: tuple[int, ...] = (1, 2, 3, 4)
    batch_size: int = 512
    initial_values: InitialValues = InitialValues.PHYSICS
    optimiser: Optimiser = Optimiser.ADAM
    weight_decay: float = 0.0
    dropout: float = 0.0
    float_epochs: int = 12
    quantised_epochs: int = 8
    learning_rate: float = 0.03
    schedule: Schedule = Schedule.COSINE
    warmup_epochs: int = 0
    restart_epochs: int = 4
    restart_factor: int = 2
    decay_epochs: int = 0
    decay_factor: float = 0.5
    quantised_learning_rate: float = 0.003
    pair_multipliers: bool = True
    freeze_scales_fraction: float = 0.4
    max_jets: int | None = None

    def __post_init__(self) -> None:
        for key in ("nbar", "batch_size", "float_epochs", "restart_epochs", "restart_factor", "max_jets"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise ConfigError(f"must be at least 1, not {value}", where=f"training.{key}")
        for key in ("quantised_epochs", "warmup_epochs", "decay_epochs", "weight_decay"):
            if not 0 <= getattr(self, key) < math.inf:
                raise ConfigError(
                    f"must be finite and not negative, but is {getattr(self, key)}", where=f"training.{key}"
                )
        for key in ("learning_rate", "quantised_learning_rate", "decay_factor"):
            if not 0 < getattr(self, key) < math.inf:
                raise ConfigError(f"must be positive and finite, not {getattr(self, key)}", where=f"training.{key}")
        if not 0 <= self.freeze_scales_fraction <= 1:
            raise ConfigError(
                f"must be 0 to 1, not {self.freeze_scales_fraction}", where="training.freeze_scales_fraction"
            )
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"must be at least 0 and below 1, not {self.dropout}", where="training.dropout")
        if self.warmup_epochs + self.decay_epochs >= self.float_epochs:
            raise ConfigError(
                f"{self.float_epochs} epochs leave none between warm-up ({self.warmup_epochs}) and decay "
                f"({self.decay_epochs})",
                where="training.warmup_epochs",
                remedy="train for more float_epochs",
            )
        if not self.seeds:
            raise ConfigError("at least one seed is needed", where="training.seeds")


@dataclass(frozen=True)
class FirmwareConfig:
    """The HLS project."""

    backend: str = "Vitis"
    part: str = "xcvu13p-flga2577-2-e"
    clock_period_ns: float = 2.7777
    reuse_factor: int = 1

    def __post_init__(self) -> None:
        if self.backend not in ("Vitis", "Vivado"):
            raise ConfigError(
                f"unknown backend {self.backend!r}", where="firmware.backend", remedy="use Vitis or Vivado"
            )
        if not 0 < self.clock_period_ns < math.inf:
            raise ConfigError(
                f"must be positive and finite, not {self.clock_period_ns}", where="firmware.clock_period_ns"
            )
        if self.reuse_factor < 1:
            raise ConfigError(f"must be at least 1, not {self.reuse_factor}", where="firmware.reuse_factor")


@dataclass(frozen=True)
class Config:
    """A whole configuration file; `name` is the stem of the file."""

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
                "given, but the network has no jet spurion",
                where=f"{self.name}: quantisers.{sorted(given)[0]}",
                remedy="remove it, or set `network.spurions: jet`",
            )
        from nanopelican_hls.contract.settings import tensor_settings  # it needs this module

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
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # what is no text, no date, or too deep
        raise ConfigError(f"is not valid YAML: {' '.join(str(error).split())}", where=str(path)) from error
    if not isinstance(content, dict):
        raise ConfigError("must be a mapping of sections", where=str(path))
    if "name" in content:
        raise ConfigError("unknown key 'name': a configuration is named by its file", where=str(path))
    config: Config = _parse(Config, {"name": path.stem, **content}, str(path))
    return config


def to_mapping(config: Any) -> Any:
    """A configuration as plain YAML/JSON values; `parse_mapping` reads it back."""
    if dataclasses.is_dataclass(config):
        return {f.name: to_mapping(getattr(config, f.name)) for f in dataclasses.fields(config)}
    if isinstance(config, Enum):
        return config.value
    if isinstance(config, Mapping):
        return {key: to_mapping(value) for key, value in config.items()}
    return list(config) if isinstance(config, tuple) else config


def parse_mapping(mapping: dict[str, Any], where: str) -> Config:
    """The configuration that `to_mapping` wrote."""
    config: Config = _parse(Config, mapping, where)
    return config


def _parse(kind: Any, value: Any, where: str) -> Any:
    """``value`` (from YAML) as ``kind`` (a type annotation), or a ConfigError that names the key."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        options = typing.get_args(kind)
        if value is None and type(None) in options:
            return None
        return _parse(next(o for o in options if o is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"must be a list, not {value!r}", where=where)
        return tuple(_parse(typing.get_args(kind)[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, dict):
            raise ConfigError(f"must be a mapping, not {value!r}", where=where)
        return {str(key): _parse(typing.get_args(kind)[1], v, f"{where}: {key}") for key, v in value.items()}
    if dataclasses.is_dataclass(kind):
        return _parse_section(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError:
            choices = ", ".join(str(m.value) for m in kind)
            raise ConfigError(f"must be one of {choices}, not {value!r}", where=where) from None
    if kind is float and isinstance(value, int | str) and not isinstance(value, bool):
        try:
            return float(value)  # YAML 1.1 takes 1e-3, without a point, for text
        except (ValueError, OverflowError):
            pass
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ConfigError(f"must be of type {kind.__name__}, not {value!r}", where=where)
    return value


def _parse_section(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ConfigError(f"must be a mapping, not {value!r}", where=where)
    hints = typing.get_type_hints(kind)
    for key in value:
        if key not in hints:
            near = difflib.get_close_matches(str(key), hints, n=1, cutoff=0.0)
            raise ConfigError(f"unknown key {key!r}", where=where, remedy=f"did you mean {near[0]!r}?")
    for f in dataclasses.fields(kind):
        if f.name not in value and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
            raise ConfigError(f"missing key {f.name!r}", where=where)
    return kind(**{key: _parse(hints[key], v, f"{where}: {key}") for key, v in value.items()})

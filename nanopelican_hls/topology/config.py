"""What a configuration says about the network and its quantisers: the `network` and `quantisers` sections."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from nanopelican_hls.errors import ConfigError
from nanopelican_hls.fixed_point import MAX_QUANTISER_BITS, Quantiser, Rounding
from nanopelican_hls.operators._minkowski import COMPONENTS
from nanopelican_hls.operators.pairwise_dot import BEAMS
from nanopelican_hls.topology.level1_format import CMS_CORRELATOR, Level1Format


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

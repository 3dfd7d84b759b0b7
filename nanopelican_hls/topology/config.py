"""The network and its quantisers: the `network` and `quantisers` sections of a configuration."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from nanopelican_hls.errors import ConfigError
from nanopelican_hls.fixed_point import MAX_QUANTISER_BITS, Quantiser, Rounding
from nanopelican_hls.operators._arrays import MOST_CONSTITUENTS
from nanopelican_hls.operators._minkowski import COMPONENTS
from nanopelican_hls.operators.multiplicity_bin import MULTIPLICITY
from nanopelican_hls.operators.pairwise_dot import BEAMS
from nanopelican_hls.topology.level1_format import CMS_CORRELATOR, Level1Format


class Spurions(str, Enum):
    """Extra particles that precede the constituents."""

    NONE = "none"
    BEAMS = "beams"  #: the two beams, constants (cartesian coordinates only)
    JET = "jet"  #: the four-momentum of the whole jet
    REST = "rest"  #: what the cut to N constituents leaves out: the jet's four-momentum minus theirs


class RestFrom(str, Enum):
    """Where the rest particle comes from."""

    PORT = "port"  #: an input of its own
    JET = "jet"  #: computed in the firmware, from the jet's four-momentum and the constituents


class Multiplicity(str, Enum):
    """The number of particles that picks a row of the trained bias tables."""

    NONE = "none"  #: no such tables
    VALID = "valid"  #: of valid particles among the N constituents and the spurions
    JET = "jet"  #: of all constituents of the jet, an input


class MultiplicityTables(str, Enum):
    """Which biases are tables over the multiplicity."""

    READOUT = "readout"  #: that of the readout: one ROM for the whole tagger
    ALL = "all"  #: those of rows and of the diagonal, too


@dataclass(frozen=True)
class MultiplicityBins:
    """Bins of the jet's multiplicity n: ``clip((n - low) // width, 0, bins - 1)``.

    `width` is a power of two, so that the division is a shift; and `bins`, so that every pattern of its bits is a row.
    """

    low: int = 24
    width: int = 4
    bins: int = 16

    def __post_init__(self) -> None:
        where = "network.multiplicity_bins"
        if not 0 <= self.low < MULTIPLICITY.high:
            raise ConfigError(
                f"low must be 0 to {MULTIPLICITY.high - 1}, not {self.low}",
                where=where,
                remedy="give such a value (docs/configuration.md)",
            )
        if self.width < 1 or self.width & (self.width - 1):
            raise ConfigError(f"width must be a power of two, not {self.width}", where=where, remedy="use 1, 2, 4 or 8")
        if self.bins not in (2, 4, 8, 16, 32, 64):
            raise ConfigError(
                f"bins must be 2, 4, 8, 16, 32 or 64, not {self.bins}",
                where=where,
                remedy="give such a value (docs/configuration.md)",
            )
        if self.low + self.width * (self.bins - 1) > MULTIPLICITY.high:
            raise ConfigError(
                f"the last of {self.bins} bins of {self.width} begins above {MULTIPLICITY.high}, the largest number",
                where=where,
                remedy="use fewer or narrower bins",
            )


class Coordinates(str, Enum):
    """The frame and the components of four-momenta (docs/network.md)."""

    CARTESIAN = "cartesian"  #: (E, px, py, pz) in the laboratory
    LIGHT_CONE = "light_cone"  #: (q+, q-, y, z) along the jet axis


class Input(str, Enum):
    """The inputs of the firmware."""

    COMPONENTS = "components"  #: the components of four-momenta
    L1 = "l1"  #: Level-1 trigger words: pt, eta, phi (docs/level1.md; light-cone coordinates only)


#: a class in the names of tensors: it must not make one that the graph or the parameters already have
_CLASS_NAME = re.compile(r"(?!.*(?:bias|(?:_value|_exact|_scale|_zero_point|_bit_width|_quant)$))[a-z0-9_]+", re.ASCII)


@dataclass(frozen=True)
class NetworkConfig:
    """The structure of the network (docs/network.md): the QONNX graph apart from its parameters and quantisers."""

    n_constituents: int
    channels: int
    symmetric: bool = True
    spurions: Spurions = Spurions.NONE
    coordinates: Coordinates = Coordinates.LIGHT_CONE
    batch_norm: bool = False
    multiplicity_scaling: bool = False  #: nPELICAN_N: aggregators scale with learned powers of the multiplicity
    input: Input = Input.COMPONENTS
    rest_from: RestFrom = RestFrom.PORT
    multiplicity: Multiplicity = Multiplicity.NONE
    multiplicity_bins: MultiplicityBins = field(default_factory=MultiplicityBins)
    multiplicity_min_pt: float = 0.0  #: of the constituents that the jet's multiplicity counts, in GeV
    multiplicity_tables: MultiplicityTables = MultiplicityTables.READOUT
    spurion_readout: bool = False  #: pairs with the jet or the rest have a readout weight of their own
    classes: tuple[str, ...] = ()  #: one logit for each; without classes one logit, signal against background

    def __post_init__(self) -> None:
        if self.n_constituents > MOST_CONSTITUENTS:
            raise ConfigError(
                f"must be at most {MOST_CONSTITUENTS}, not {self.n_constituents}",
                where="network.n_constituents",
                remedy="keep the leading constituents: no firmware takes as many",
            )
        if self.n_constituents < 2:
            raise ConfigError(
                "a jet needs at least 2 constituents",
                where="network.n_constituents",
                remedy="give such a value (docs/configuration.md)",
            )
        if self.channels < 1:
            raise ConfigError(
                "at least 1 hidden channel is needed",
                where="network.channels",
                remedy="give such a value (docs/configuration.md)",
            )
        if self.spurions is Spurions.BEAMS and self.coordinates is not Coordinates.CARTESIAN:
            raise ConfigError(
                "beams are not constants in light-cone coordinates",
                where="network.spurions",
                remedy="use `coordinates: cartesian`, or `spurions: jet` or `none`",
            )
        if self.input is Input.L1 and self.coordinates is not Coordinates.LIGHT_CONE:
            raise ConfigError(
                "Level-1 words support light-cone coordinates only",
                where="network.input",
                remedy="use `coordinates: light_cone`, or `input: components`",
            )
        if self.input is Input.L1 and self.spurions is Spurions.REST and self.rest_from is RestFrom.PORT:
            raise ConfigError(
                "no Level-1 word is that of the rest", where="network.rest_from", remedy="use `rest_from: jet`"
            )
        if self.rest_from is RestFrom.JET and self.spurions is not Spurions.REST:
            raise ConfigError("there is no rest", where="network.rest_from", remedy="use `spurions: rest`")
        if self.multiplicity is Multiplicity.JET and self.batch_norm:
            raise ConfigError(
                "the biases would be tables over two numbers: batch_norm makes them depend on the valid particles",
                where="network.multiplicity",
                remedy="set batch_norm to false, or multiplicity to none or valid",
            )
        if not 0 <= self.multiplicity_min_pt < math.inf:
            raise ConfigError(
                f"must be finite and not negative, not {self.multiplicity_min_pt}",
                where="network.multiplicity_min_pt",
                remedy="give such a value (docs/configuration.md)",
            )
        for key, default in {"multiplicity_min_pt": 0.0, "multiplicity_bins": MultiplicityBins()}.items():
            if getattr(self, key) != default and self.multiplicity is not Multiplicity.JET:
                raise ConfigError(
                    "the multiplicity is not that of the jet",
                    where=f"network.{key}",
                    remedy="use `multiplicity: jet`, or remove it",
                )
        if self.multiplicity_tables is MultiplicityTables.ALL and self.multiplicity is Multiplicity.NONE:
            raise ConfigError(
                "there are no tables over the multiplicity",
                where="network.multiplicity_tables",
                remedy="use `multiplicity: jet` or `valid`, or remove it",
            )
        if self.spurion_readout and self.spurion is None:
            raise ConfigError(
                "there is neither jet nor rest", where="network.spurion_readout", remedy="use `spurions: rest` or `jet`"
            )
        self._check_classes()

    def _check_classes(self) -> None:
        if len(self.classes) == 1:
            raise ConfigError(
                f"{self.classes[0]} is the only one",
                where="network.classes",
                remedy="name at least 2, or none for signal and background",
            )
        folded = [name.casefold() for name in self.classes]
        for name in self.classes:
            if not _CLASS_NAME.fullmatch(name.casefold()):
                raise ConfigError(
                    f"{name!r} cannot be part of the name of a tensor",
                    where="network.classes",
                    remedy="use letters, digits and underscores, without `bias` or the ending of another tensor "
                    "(`_exact`, `_scale`, ...)",
                )
            if folded.count(name.casefold()) > 1:
                raise ConfigError(f"{name} is named twice", where="network.classes", remedy="case does not count")

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the four components of a four-momentum."""
        return COMPONENTS[self.coordinates.value]

    @property
    def level1(self) -> Level1Format | None:
        """Format of the words at the ports; None if the ports are components."""
        return CMS_CORRELATOR if self.input is Input.L1 else None

    @property
    def beams(self) -> int:
        return len(BEAMS) if self.spurions is Spurions.BEAMS else 0

    @property
    def spurion(self) -> str | None:
        """Name of the spurion that has a four-momentum of its own, ``jet`` or ``rest``."""
        return self.spurions.value if self.spurions in (Spurions.JET, Spurions.REST) else None

    @property
    def needs_jet(self) -> bool:
        """Whether the jet's four-momentum is an input."""
        return self.spurions is Spurions.JET or (self.spurions is Spurions.REST and self.rest_from is RestFrom.JET)

    @property
    def n_spurions(self) -> int:
        return self.beams + (self.spurion is not None)

    @property
    def particles(self) -> int:
        """M, the number of constituents and spurions."""
        return self.n_constituents + self.n_spurions


@dataclass(frozen=True)
class QuantiserConfig:
    """Settings of a quantiser, for a role or for one tensor.

    Parameters
    ----------
    bits : int
        Width, including the sign.
    rounding : Rounding
        Half-to-even, or truncation.
    signed : bool, optional
        By default, as for the role (docs/network.md).
    clip : float, optional
        A value that must not saturate, in GeV or GeV^2 if the tensor has a unit: the scale is the smallest power of two
        with which it fits. By default, the scale comes from calibration.
    """

    bits: int
    rounding: Rounding = Rounding.ROUND
    signed: bool | None = None
    clip: float | None = None

    def __post_init__(self) -> None:
        least = 2 if self.signed else 1  # where `signed` depends on the role, `tensor_settings` checks again
        if not least <= self.bits <= MAX_QUANTISER_BITS:
            raise ConfigError(
                f"bits must be {least} to {MAX_QUANTISER_BITS}, not {self.bits}",
                where="quantisers",
                remedy="give such a value (docs/configuration.md)",
            )
        if self.clip is not None and not (self.clip > 0 and math.isfinite(self.clip)):
            raise ConfigError(
                f"clip must be positive and finite, not {self.clip}",
                where="quantisers",
                remedy="give such a value (docs/configuration.md)",
            )

    def holding(self, bound: float) -> Quantiser:
        """The quantiser with the smallest scale at which ``bound`` > 0 fits; `signed` must be set."""
        assert self.signed is not None
        quantiser = Quantiser(self.bits, self.signed, 0, self.rounding)
        (fraction, exponent), (high_fraction, high_exponent) = math.frexp(bound), math.frexp(quantiser.high)
        return dataclasses.replace(quantiser, exponent=exponent - high_exponent + (fraction > high_fraction))


@dataclass(frozen=True)
class QuantisersConfig:
    """Quantisers by role; `null` switches an inner one off, so that the exact value is passed on.

    ``tensors`` overrides the settings of the role for single tensors, by name (docs/network.md).
    """

    momenta: QuantiserConfig
    logit: QuantiserConfig
    weights: QuantiserConfig
    biases: QuantiserConfig
    jet_momenta: QuantiserConfig | None = None
    d: QuantiserConfig | None = None
    d_jet: QuantiserConfig | None = None
    d_jj: QuantiserConfig | None = None
    rest_momenta: QuantiserConfig | None = None
    d_rest: QuantiserConfig | None = None
    d_rr: QuantiserConfig | None = None
    r: QuantiserConfig | None = None
    s: QuantiserConfig | None = None
    mix: QuantiserConfig | None = None
    relu: QuantiserConfig | None = None
    diagonal: QuantiserConfig | None = None
    sums: QuantiserConfig | None = None
    tensors: Mapping[str, QuantiserConfig | None] | None = field(default=None, hash=False)

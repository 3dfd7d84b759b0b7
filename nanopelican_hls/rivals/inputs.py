"""What the rivals see: the N leading constituents, the rest and the jet's multiplicity, on the grids of the ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.jets import Jets, port_values
from nanopelican_hls.topology.config import Multiplicity, NetworkConfig, Spurions

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Feature:
    """A number at the ports.

    Attributes
    ----------
    name : str
    grid : integers at the port times a power of two; it saturates.
    unit : power of two that the network divides by, so that values have a standard deviation of about 1. It only moves
        the binary point.
    """

    name: str
    grid: Quantiser
    unit: float

    @property
    def exponent(self) -> int:
        """Exponent of the port's least significant bit as the network sees it."""
        return self.grid.exponent - int(np.log2(self.unit))

    def of(self, values: Array) -> Array:
        """What the network sees."""
        return np.asarray(self.grid(values)) / self.unit


def _feature(name: str, bits: int, exponent: int, unit: float, *, signed: bool = False) -> Feature:
    return Feature(name, Quantiser(bits, signed, exponent, Rounding.ROUND), unit)


#: of each constituent, by coordinates: pT and the angles from the jet's axis; light-cone components (docs/network.md)
CONSTITUENT: Mapping[str, tuple[Feature, ...]] = {
    "angles": (
        _feature("pt", 10, -1, 64.0),
        _feature("eta", 9, -8, 0.25, signed=True),
        _feature("phi", 9, -8, 0.25, signed=True),
    ),
    "light_cone": (
        _feature("q_plus", 10, 0, 128.0),
        _feature("q_minus", 10, -6, 1.0),
        _feature("q_y", 10, -3, 8.0, signed=True),
        _feature("q_z", 10, -3, 8.0, signed=True),
    ),
}
#: of the jet, in both: the four-momentum of the rest, and the number of constituents before any cut
JET = (
    _feature("rest_q_plus", 10, 0, 256.0),
    _feature("rest_q_minus", 10, -4, 8.0),
    _feature("rest_q_y", 10, -3, 16.0, signed=True),
    _feature("rest_q_z", 10, -3, 16.0, signed=True),
    _feature("n_jet", 7, 0, 32.0),
)


@dataclass(frozen=True, eq=False)
class Inputs:
    """Jets as the rivals see them.

    Attributes
    ----------
    constituents : float64 [n, N, features]
    jet : float64 [n, features]
    labels : int8 [n]
    """

    constituents: Array
    jet: Array
    labels: NDArray[np.int8]

    def __getitem__(self, index: slice) -> Inputs:
        return Inputs(self.constituents[index], self.jet[index], self.labels[index])

    def __len__(self) -> int:
        return len(self.labels)


def inputs(jets: Jets, n_constituents: int, coordinates: str) -> Inputs:
    """Inputs of labelled jets.

    Raises
    ------
    JetsError
        If labels are missing, or what the rest needs (`jets.rest.rest_momenta`).
    """
    network = NetworkConfig(n_constituents, 1, spurions=Spurions.REST, multiplicity=Multiplicity.JET)
    values = port_values(jets, network)
    labels = jets.binary_labels("jets of the rivals")
    if labels is None:
        raise JetsError("has no labels", where="jets of the rivals", remedy="use jets with is_signal 0 and 1")
    if coordinates == "angles":
        values |= _angles(values)
    constituents = np.stack([feature.of(values[feature.name]) for feature in CONSTITUENT[coordinates]], axis=-1)
    return Inputs(constituents, np.concatenate([f.of(values[f.name]) for f in JET], axis=1), labels)


def _angles(values: Mapping[str, Array]) -> dict[str, Array]:
    """(pT, eta, phi) relative to the jet's axis, of massless constituents; 0 for padding."""
    along = (values["q_plus"] - values["q_minus"]) / 2
    pt = np.hypot(along, values["q_y"])
    sinh_eta = np.divide(values["q_z"], pt, out=np.zeros_like(pt), where=pt > 0)
    return {"pt": pt, "eta": np.arcsinh(sinh_eta), "phi": np.arctan2(values["q_y"], along)}


def port_bits(features: Sequence[Feature]) -> str:
    """The widths in a table: ``pt 10, eta 9``."""
    return ", ".join(f"{feature.name} {feature.grid.bits}" for feature in features)

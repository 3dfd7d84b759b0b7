"""The reference forms: networks that are trained, and compared in hardware at all sizes (docs/synthesis.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nanopelican_hls.topology.config import Coordinates, NetworkConfig, QuantiserConfig, QuantisersConfig, Spurions

#: numbers of constituents: those of the hand-written design
SIZES = (8, 12, 16, 20, 24, 32)
#: width of the momenta
LABORATORY_BITS, LIGHT_CONE_BITS = 12, 8


@dataclass(frozen=True)
class ReferenceForm:
    """A form of the network, with 6-bit quantisers at pair level.

    Attributes
    ----------
    title : short description.
    smallest : the network with 8 constituents.
    """

    title: str
    smallest: NetworkConfig

    def network(self, n_constituents: int) -> NetworkConfig:
        """The network with another number of constituents."""
        return replace(self.smallest, n_constituents=n_constituents)

    @property
    def quantisers(self) -> QuantisersConfig:
        """6 bits for what exists once per pair, 8 once per particle, 10 for weights that exist once per jet."""
        network = self.smallest
        momenta = LIGHT_CONE_BITS if network.coordinates is Coordinates.LIGHT_CONE else LABORATORY_BITS
        six, eight, ten = QuantiserConfig(6), QuantiserConfig(8), QuantiserConfig(10)
        jet = eight if network.has_jet else None
        once_a_jet = ["row_w_s", "diagonal_w_s", "k_pair", "k_diagonal"] + ["diagonal_w_jj"] * network.has_jet
        return QuantisersConfig(
            momenta=QuantiserConfig(momenta),
            jet_momenta=QuantiserConfig(momenta + 2) if network.has_jet else None,
            d_jet=jet,
            d_jj=jet,
            d=six,
            r=eight,
            s=eight,
            mix=six,
            relu=six,
            diagonal=ten,  # the jet's entry and the others share a scale
            sums=QuantiserConfig(12),
            logit=eight,
            weights=six,
            biases=eight,
            # w_d: multiplying by a power of two is a shift, whatever the width
            tensors={"w_d": QuantiserConfig(16), "diagonal_w_r": eight, **dict.fromkeys(once_a_jet, ten)},
        )


#: the forms by letter
REFERENCE_FORMS = {
    "a": ReferenceForm("untied, laboratory, beams", NetworkConfig(8, 2, False, Spurions.BEAMS, Coordinates.CARTESIAN)),
    "b": ReferenceForm(
        "symmetric, laboratory, beams", NetworkConfig(8, 2, True, Spurions.BEAMS, Coordinates.CARTESIAN)
    ),
    "c": ReferenceForm("symmetric, light cone, jet", NetworkConfig(8, 4, True, Spurions.JET, Coordinates.LIGHT_CONE)),
}

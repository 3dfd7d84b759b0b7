"""The reference forms: networks that are trained, and whose hardware is compared at all sizes (docs/synthesis.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nanopelican_hls.topology.config import Coordinates, NetworkConfig, QuantiserConfig, QuantisersConfig, Spurions

#: constituents of the networks: those that the hand-written design has
SIZES = (8, 12, 16, 20, 24, 32)
#: of momenta
LABORATORY_BITS, LIGHT_CONE_BITS = 12, 8


@dataclass(frozen=True)
class ReferenceForm:
    """A form of the network, with six bits inside.

    Attributes
    ----------
    title : what it is, in a few words.
    smallest : the network of eight constituents.
    """

    title: str
    smallest: NetworkConfig

    def network(self, n_constituents: int) -> NetworkConfig:
        """The network of another size."""
        return replace(self.smallest, n_constituents=n_constituents)

    @property
    def quantisers(self) -> QuantisersConfig:
        """Six bits for what exists once a pair, eight for what exists once a particle, ten for the weights of a jet."""
        network = self.smallest
        momenta = LIGHT_CONE_BITS if network.coordinates is Coordinates.LIGHT_CONE else LABORATORY_BITS
        six, eight, ten = QuantiserConfig(6), QuantiserConfig(8), QuantiserConfig(10)
        jet = eight if network.spurion else None
        once_a_jet = ["row_w_s", "diagonal_w_s", "k_pair", "k_diagonal"] + ["diagonal_w_jj"] * (
            network.spurion == "jet"
        )
        return QuantisersConfig(
            momenta=QuantiserConfig(momenta),
            jet_momenta=QuantiserConfig(momenta + 2) if network.spurion else None,
            d_jet=jet,
            d_jj=jet,
            d=six,
            r=eight,
            s=eight,
            mix=six,
            relu=six,
            diagonal=ten,  # one scale for the jet's entry and for the others
            sums=QuantiserConfig(12),
            logit=eight,
            weights=six,
            biases=eight,
            # a power of two is a shift, however wide
            tensors={"w_d": QuantiserConfig(16), "diagonal_w_r": eight, **dict.fromkeys(once_a_jet, ten)},
        )


#: by letter
REFERENCE_FORMS = {
    "a": ReferenceForm("untied, laboratory, beams", NetworkConfig(8, 2, False, Spurions.BEAMS, Coordinates.CARTESIAN)),
    "b": ReferenceForm(
        "symmetric, laboratory, beams", NetworkConfig(8, 2, True, Spurions.BEAMS, Coordinates.CARTESIAN)
    ),
    "c": ReferenceForm("symmetric, light cone, jet", NetworkConfig(8, 4, True, Spurions.JET, Coordinates.LIGHT_CONE)),
}

"""The forms whose hardware is compared (docs/synthesis.md), trained: AUC and rejection beside what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nanopelican_hls.benchmarks.synthesis import SIZES
from nanopelican_hls.config import Config
from nanopelican_hls.markdown import table
from nanopelican_hls.studies.study import Results, Study, named, recommended
from nanopelican_hls.studies.tables import measured
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, QuantiserConfig, QuantisersConfig, Spurions

#: by letter: what it is, and the network for eight constituents
FORMS = {
    "a": ("untied, laboratory, beams", NetworkConfig(8, 2, False, Spurions.BEAMS, Coordinates.CARTESIAN)),
    "b": ("symmetric, laboratory, beams", NetworkConfig(8, 2, True, Spurions.BEAMS, Coordinates.CARTESIAN)),
    "c": ("symmetric, light cone, jet", NetworkConfig(8, 4, True, Spurions.JET, Coordinates.LIGHT_CONE)),
}
LABORATORY_BITS, LIGHT_CONE_BITS = 12, 8


class FormsStudy(Study):
    """Six bits inside, and no multiplier at pair level."""

    name = "forms"

    def configs(self) -> list[Config]:
        base = recommended()
        training = replace(base.training, quantised_epochs=16, pair_multipliers=False)
        return [
            named(
                base,
                f"form-{letter}-n{n}",
                network=replace(network, n_constituents=n),
                quantisers=_six_bits(network),
                training=training,
            )
            for letter, (_, network) in FORMS.items()
            for n in SIZES
        ]

    def page(self, results: Results) -> str:
        rows = []
        for config, found in results.items():
            letter = config.name.split("-")[1]
            cells = [measured(found, figure, form=form) for figure in ("auc", "rejection_30") for form in STEPS]
            title = f"({letter}) {FORMS[letter][0]}"
            texts = [cell.text(4 if i < len(STEPS) else 0) for i, cell in enumerate(cells)]
            rows.append([title, config.network.n_constituents, config.network.channels, *texts])
        head = ["form", "N", "C", "AUC float", "quantised", "rejection at 30% float", "quantised"]
        return table(head, rows)

    def pictures(self, results: Results) -> Mapping[str, bytes]:
        from nanopelican_hls.studies.pictures import against_size

        forms = {letter: f"({letter}) {title}" for letter, (title, _) in FORMS.items()}
        curves = {
            title: {c.network.n_constituents: found for c, found in results.items() if c.name.split("-")[1] == letter}
            for letter, title in forms.items()
        }
        return {"forms.png": against_size(curves)}


STEPS = ("float", "quantised")


def _six_bits(network: NetworkConfig) -> QuantisersConfig:
    """Six bits for what exists once a pair, eight for what exists once a particle, ten for the weights of a jet."""
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
        diagonal=ten,  # one scale for the jet's entry and for the others
        sums=QuantiserConfig(12),
        logit=eight,
        weights=six,
        biases=eight,
        # a power of two is a shift, however wide
        tensors={"w_d": QuantiserConfig(16), "diagonal_w_r": eight, **dict.fromkeys(once_a_jet, ten)},
    )

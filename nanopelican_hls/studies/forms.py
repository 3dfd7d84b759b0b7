"""The reference forms, trained (docs/synthesis.md): AUC and rejection, to compare with their hardware cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nanopelican_hls.config import Config
from nanopelican_hls.config.recipes import recommended
from nanopelican_hls.markdown import table
from nanopelican_hls.studies.study import Results, Study, named
from nanopelican_hls.studies.tables import measured
from nanopelican_hls.topology.forms import REFERENCE_FORMS, SIZES

STEPS = ("float", "quantised")
EPOCHS, QUANTISED_EPOCHS = 32, 16


class FormsStudy(Study):
    """The reference forms with six inner bits and no multiplier at pair level."""

    name = "forms"
    at_most = {"train": 24_000, "valid": 4_000, "test": 16_000}

    def configs(self) -> list[Config]:
        base = recommended()
        training = replace(
            base.training,
            seeds=(1, 2, 3),
            float_epochs=EPOCHS,
            warmup_epochs=4,
            second_order_steps=0,
            quantised_epochs=QUANTISED_EPOCHS,
            pair_multipliers=False,
        )
        return [
            named(
                base,
                f"form-{letter}-n{n}",
                network=form.network(n),
                quantisers=form.quantisers,
                training=training,
            )
            for letter, form in REFERENCE_FORMS.items()
            for n in SIZES
        ]

    def page(self, results: Results) -> str:
        rows = []
        for config, found in results.items():
            letter = config.name.split("-")[1]
            cells = [measured(found, figure, form=form) for figure in ("auc", "rejection_30") for form in STEPS]
            title = f"({letter}) {REFERENCE_FORMS[letter].title}"
            texts = [cell.text(4 if i < len(STEPS) else 0) for i, cell in enumerate(cells)]
            rows.append([title, config.network.n_constituents, config.network.channels, *texts])
        head = ["form", "N", "C", "AUC float", "quantised", "rejection at 30% float", "quantised"]
        return table(head, rows)

    def pictures(self, results: Results) -> Mapping[str, bytes]:
        from nanopelican_hls.studies.pictures import against_size

        forms = {letter: f"({letter}) {form.title}" for letter, form in REFERENCE_FORMS.items()}
        curves = {
            title: {c.network.n_constituents: found for c, found in results.items() if c.name.split("-")[1] == letter}
            for letter, title in forms.items()
        }
        return {"forms.png": against_size(curves)}

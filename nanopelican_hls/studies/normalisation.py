"""What BatchNorm and the paper's Nbar cost in training, at the paper's form and size, in floating point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from nanopelican_hls.config import Config, load_config
from nanopelican_hls.markdown import table
from nanopelican_hls.studies.study import Results, Study, named
from nanopelican_hls.studies.tables import FIGURES, figure_cells

MODEL = "paper-n80-c2"
#: the default, a power of two; and the paper's
NBARS = (64, 49)
EPOCHS, STEPS = 16, 120
SEEDS = (1,)


class NormalisationStudy(Study):
    """The recipe of `MODEL` with and without BatchNorm, and with each Nbar."""

    name = "normalisation"

    def configs(self) -> list[Config]:
        base = load_config(MODEL)
        short = replace(
            base.training, seeds=SEEDS, float_epochs=EPOCHS, second_order_steps=STEPS, quantised_epochs=0, max_jets=None
        )
        return [
            named(
                base,
                f"{'batch-norm' if batch_norm else 'plain'}-nbar{nbar}",
                network=replace(base.network, batch_norm=batch_norm),
                training=replace(short, nbar=nbar),
            )
            for batch_norm, nbar in product((False, True), NBARS)
        ]

    def page(self, results: Results) -> str:
        rows = [
            ["yes" if config.network.batch_norm else "no", config.training.nbar, *figure_cells(found)]
            for config, found in results.items()
        ]
        return table(["BatchNorm", "Nbar", *FIGURES], rows)

    def pictures(self, results: Results) -> Mapping[str, bytes]:  # noqa: ARG002
        return {}

"""The effect of channels, constituents, tied aggregators and spurions, in floating point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from nanopelican_hls.analysis.formula import parameter_count
from nanopelican_hls.config import Config
from nanopelican_hls.config.recipes import recommended
from nanopelican_hls.markdown import table
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.operators._arrays import pair_count
from nanopelican_hls.studies.study import Results, Study, named, unused_quantisers
from nanopelican_hls.studies.tables import FIGURES, figure_cells, measured
from nanopelican_hls.topology.config import Coordinates, NetworkConfig, Spurions

CHANNELS = (1, 2, 4, 10)
SIZES = (6, 8, 16, 32, 80)
#: channels at the largest size, which takes longer than all others together
LARGEST_CHANNELS = (2, 4)
#: channels and sizes of the forms with beams, for comparison with the form without spurions
BEAM_CHANNELS, BEAM_SIZES = (2, 4), (8, 16, 32)


class ArchitectureStudy(Study):
    """AUC and rejection against hardware size, for every form."""

    name = "architecture"
    at_most = {"train": 16_000, "valid": 4_000, "test": 16_000}

    def configs(self) -> list[Config]:
        base = recommended()
        training = replace(base.training, float_epochs=24, warmup_epochs=4, second_order_steps=0, quantised_epochs=0)
        sizes = [(n, c) for n in SIZES for c in (LARGEST_CHANNELS if n == max(SIZES) else CHANNELS)]
        forms = [(*form, *size) for form in product((True, False), (Spurions.NONE, Spurions.JET)) for size in sizes]
        forms += product((True, False), (Spurions.BEAMS,), BEAM_SIZES, BEAM_CHANNELS)
        configs = []
        for symmetric, spurions, n, channels in forms:
            coordinates = Coordinates.CARTESIAN if spurions is Spurions.BEAMS else Coordinates.LIGHT_CONE
            network = NetworkConfig(n, channels, symmetric, spurions, coordinates)
            name = f"{_form(network).replace(', ', '-')}-n{n}-c{channels}"
            configs.append(named(base, name, network=network, quantisers=unused_quantisers(network), training=training))
        return configs

    def page(self, results: Results) -> str:
        head = ["form", "spurions", "N", "C", "parameters", "ReLUs at pair level", *FIGURES]
        rows = []
        for config, found in sorted(results.items(), key=lambda item: pair_relus(item[0].network)):
            network = config.network
            form = "symmetric" if network.symmetric else "untied"
            parameters = parameter_count(FloatNetwork(network, nbar=config.training.nbar, seed=0)).nominal
            size = [network.n_constituents, network.channels, parameters, f"{pair_relus(network):,}"]
            rows.append([form, network.spurions.value, *size, *figure_cells(found)])
        return table(head, rows)

    def pictures(self, results: Results) -> Mapping[str, bytes]:
        from nanopelican_hls.studies.pictures import against_cost

        curves: dict[str, list[tuple[float, float, str]]] = {}
        for config, found in results.items():
            network = config.network
            label = f"N={network.n_constituents}, C={network.channels}"
            point = (float(pair_relus(network)), measured(found, "rejection_30").mean, label)
            curves.setdefault(_form(network), []).append(point)
        return {"architecture.png": against_cost(curves)}


def pair_relus(network: NetworkConfig) -> int:
    """ReLUs at pair level, each with its adders: most of the hardware, and what the form multiplies."""
    return pair_count(network.particles) * network.channels * (1 if network.symmetric else 2)


def _form(network: NetworkConfig) -> str:
    return f"{'symmetric' if network.symmetric else 'untied'}, {network.spurions.value}"

"""What the jet, the rest and the jet's multiplicity add to the constituents, in floating point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nanopelican_hls.config import Config
from nanopelican_hls.config.recipes import recommended
from nanopelican_hls.markdown import table
from nanopelican_hls.studies.study import Results, Study, named, unused_quantisers
from nanopelican_hls.studies.tables import FIGURES, figure_cells
from nanopelican_hls.studies.tasks import NetworkTask
from nanopelican_hls.topology.config import (
    Multiplicity,
    MultiplicityBins,
    MultiplicityTables,
    NetworkConfig,
    Spurions,
)

SIZES = (8,)
CHANNELS = 2
#: rows of the second table, all at the smallest size with the rest: how n_jet is counted and binned
COUNTS: Mapping[str, tuple[MultiplicityBins, float]] = {
    "16 bins of 4 from 24": (MultiplicityBins(24, 4, 16), 0.0),
    "64 bins of 1 from 24": (MultiplicityBins(24, 1, 64), 0.0),
    "8 bins of 8 from 24": (MultiplicityBins(24, 8, 8), 0.0),
    "8 bins of 4 from 24: all above 52 are one": (MultiplicityBins(24, 4, 8), 0.0),
    "4 bins of 4 from 24: all above 36 are one": (MultiplicityBins(24, 4, 4), 0.0),
    # below 2.2 GeV some jets have constituents that a file of the leading 80 lacks
    "16 bins of 4 from 8, pT of at least 2.5 GeV": (MultiplicityBins(8, 4, 16), 2.5),
    "16 bins of 2 from 8, pT of at least 5 GeV": (MultiplicityBins(8, 2, 16), 5.0),
    "16 bins of 2 from 4, pT of at least 10 GeV": (MultiplicityBins(4, 2, 16), 10.0),
}
#: rows of the third table: n_jet + Poisson(mean) - mean in all samples, as from pile-up whose mean is subtracted
SMEARINGS = (5, 10, 20)


class InputsStudy(Study):
    """AUC and rejection with and without each of the inputs beside the constituents."""

    name = "inputs"

    def configs(self) -> list[Config]:
        base = recommended()
        training = replace(base.training, quantised_epochs=0)
        one_seed = replace(training, seeds=training.seeds[:1])
        forms = {name: network for n in SIZES for name, network in _forms(n).items()}
        return [
            named(base, name, network=network, quantisers=unused_quantisers(network), training=recipe)
            for networks, recipe in ((forms, training), (_counts() | _smeared(), one_seed))
            for name, network in networks.items()
        ]

    def task(self, config: Config, seed: int) -> NetworkTask:
        means = dict(zip(_smeared(), SMEARINGS, strict=True))
        return NetworkTask(config, seed, smearing=means.get(config.name, 0.0))

    def page(self, results: Results) -> str:
        found = {config.name: (config.network, figure_cells(of_seeds)) for config, of_seeds in results.items()}
        forms = [(name, *found[name]) for n in SIZES for name in _forms(n) if name in found]
        rows = [[net.n_constituents, net.spurions.value, _of_n_jet(net), *cells] for _, net, cells in forms]
        head = ["N", "spurion", "tables over n_jet", *FIGURES]
        counts = [[row, *found[name][1]] for row, name in zip(COUNTS, _counts(), strict=True) if name in found]
        smeared = [[mean, *found[name][1]] for mean, name in zip(SMEARINGS, _smeared(), strict=True) if name in found]
        parts = [
            table(head, rows),
            f"N = {min(SIZES)} with the rest, how n_jet is counted:",
            table(["n_jet", *head[3:]], counts),
            "The same with 16 bins of 4, n_jet smeared by Poisson(mean) - mean in training and test:",
            table(["mean", *head[3:]], smeared),
        ]
        return "\n\n".join(parts)

    def pictures(self, results: Results) -> Mapping[str, bytes]:  # noqa: ARG002
        return {}


def _forms(n: int) -> dict[str, NetworkConfig]:
    """The networks of the first table, by name."""
    plain = NetworkConfig(n, CHANNELS)
    given = {
        "none": plain,
        "jet": replace(plain, spurions=Spurions.JET),
        "jet-readout": replace(plain, spurions=Spurions.JET, spurion_readout=True),
        "rest": replace(plain, spurions=Spurions.REST),
        "rest-readout": replace(plain, spurions=Spurions.REST, spurion_readout=True),
    }
    counted = {f"{name}-count": replace(net, multiplicity=Multiplicity.JET) for name, net in given.items()}
    every = replace(counted["rest-count"], multiplicity_tables=MultiplicityTables.ALL)
    return {f"{name}-n{n}": net for name, net in (given | counted | {"rest-every-bias": every}).items()}


def _counts() -> dict[str, NetworkConfig]:
    """The networks of the second table, in the order of `COUNTS`."""
    base = _forms(min(SIZES))[f"rest-count-n{min(SIZES)}"]
    return {
        f"count-{place}": replace(base, multiplicity_bins=bins, multiplicity_min_pt=min_pt)
        for place, (bins, min_pt) in enumerate(COUNTS.values())
    }


def _smeared() -> dict[str, NetworkConfig]:
    """The networks of the third table, in the order of `SMEARINGS`."""
    base = _forms(min(SIZES))[f"rest-count-n{min(SIZES)}"]
    return {f"smeared-{mean}": base for mean in SMEARINGS}


def _of_n_jet(network: NetworkConfig) -> str:
    apart = ", k0' of the spurion" if network.spurion_readout else ""
    if network.multiplicity is Multiplicity.NONE:
        return f"none{apart}"
    biases = "b0" if network.multiplicity_tables is MultiplicityTables.READOUT else "b0, b and b_diag"
    return f"{biases}{apart}"

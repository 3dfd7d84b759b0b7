"""The loss in each step from the float network to the firmware, and the number of bits needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from nanopelican_hls.config import Config
from nanopelican_hls.config.recipes import recommended
from nanopelican_hls.markdown import table
from nanopelican_hls.studies.runner import Result
from nanopelican_hls.studies.study import Results, Study, named, without_jet
from nanopelican_hls.studies.tables import measured
from nanopelican_hls.topology.config import Coordinates, QuantiserConfig, QuantisersConfig, Spurions

SIZES = (16, 20, 32, 80)
CHANNELS = (2, 3, 10)
LABORATORY_BITS = (6, 8, 10, 12, 14, 16, 18)
LIGHT_CONE_BITS = (5, 6, 7, 8, 9, 10, 12)
INNER_BITS = (4, 5, 6, 7, 8, 9, 10)
#: with more constituents the network is better without the jet, and needs a finer grid for soft ones
LARGEST_WITH_JET = 32
#: width of momenta and their products in larger networks
BITS_WITHOUT_JET = 10
#: not varied in the scan of inner widths: ports, output, and weights that exist once per jet
OF_FIXED_WIDTH = ("momenta", "jet_momenta", "logit", "tensors")
WIDEST_BITS = 24
#: columns of `_steps`
STEPS_HEAD = ("AUC float", "folded", "quantised", "lost in AUC", "rejection at 30% float", "quantised")


class SizeStudy(Study):
    """AUC and rejection of the float, folded and quantised network against N and C."""

    name = "firmware"

    def configs(self) -> list[Config]:
        return [_of_size(n, c) for n in SIZES for c in CHANNELS]

    def page(self, results: Results) -> str:
        rows = [
            [c.network.n_constituents, c.network.channels, c.network.spurions.value, *_steps(found)]
            for c, found in results.items()
        ]
        return table(["N", "C", "spurions", *STEPS_HEAD], rows)

    def pictures(self, results: Results) -> Mapping[str, bytes]:
        from nanopelican_hls.studies.pictures import against_size

        curves: dict[str, dict[int, Sequence[Result]]] = {}
        for config, found in results.items():
            curve = curves.setdefault(f"C = {config.network.channels}", {})
            curve[config.network.n_constituents] = found
        return {"firmware.png": against_size(curves)}


class WidthStudy(Study):
    """AUC against momentum width in both coordinates, and against inner widths; N = 16, C = 4, one seed."""

    name = "widths"

    def configs(self) -> list[Config]:
        base = recommended()
        base = replace(base, training=replace(base.training, seeds=base.training.seeds[:1]))
        laboratory = replace(base.network, coordinates=Coordinates.CARTESIAN)
        scans = [
            named(base, f"laboratory-{b}", network=laboratory, quantisers=_momenta(base.quantisers, b))
            for b in LABORATORY_BITS
        ]
        scans += [named(base, f"light-cone-{b}", quantisers=_momenta(base.quantisers, b)) for b in LIGHT_CONE_BITS]
        return scans + [named(base, f"inner-{b}", quantisers=_inner(base.quantisers, b)) for b in INNER_BITS]

    def page(self, results: Results) -> str:
        parts = []
        for scan, title in TITLES.items():
            rows = [[bits, *_steps(found)] for bits, found in _of_scan(results, scan).items()]
            parts.append(f"{title}\n\n{table(['bits', *STEPS_HEAD], rows)}")
        return "\n\n".join(parts)

    def pictures(self, results: Results) -> Mapping[str, bytes]:
        from nanopelican_hls.studies.pictures import against_width

        curves = {
            title: {bits: measured(found, "auc", form="quantised") for bits, found in _of_scan(results, scan).items()}
            for scan, title in TITLES.items()
        }
        return {"widths.png": against_width(curves)}


TITLES = {
    "laboratory": "Momenta in the laboratory (the jet's 2 bits wider)",
    "light-cone": "Momenta in light-cone coordinates (the jet's 2 bits wider)",
    "inner": "Inner quantisers, light-cone momenta of 8 bits (d, mix, relu and weights of this width, others wider)",
}


def _of_size(n: int, channels: int) -> Config:
    """The recommended form; with the jet and coarse momenta up to `LARGEST_WITH_JET`."""
    base = recommended()
    network, name = replace(base.network, n_constituents=n, channels=channels), f"n{n}-c{channels}"
    if n <= LARGEST_WITH_JET:
        return named(base, name, network=network)
    fine = QuantiserConfig(BITS_WITHOUT_JET)
    quantisers = replace(without_jet(base.quantisers), momenta=fine, d=fine)
    return named(base, name, network=replace(network, spurions=Spurions.NONE), quantisers=quantisers)


def _of_scan(results: Results, scan: str) -> dict[int, Sequence[Result]]:
    """Results of one scan by width."""
    names = {config.name.rpartition("-"): found for config, found in results.items()}
    return {int(bits): found for (name, _, bits), found in names.items() if name == scan}


def _momenta(quantisers: QuantisersConfig, bits: int) -> QuantisersConfig:
    jet = min(bits + 2, WIDEST_BITS)
    return replace(quantisers, momenta=QuantiserConfig(bits), jet_momenta=QuantiserConfig(jet))


def _inner(quantisers: QuantisersConfig, bits: int) -> QuantisersConfig:
    """Shift all inner widths together, so that ``d`` has the given one."""
    assert quantisers.d is not None
    moved = bits - quantisers.d.bits
    inner = {f.name: getattr(quantisers, f.name) for f in fields(quantisers) if f.name not in OF_FIXED_WIDTH}
    return replace(quantisers, **{name: replace(q, bits=q.bits + moved) for name, q in inner.items() if q is not None})


def _steps(results: Sequence[Result]) -> list[str]:
    """Figures at each step from float to firmware."""
    auc = [measured(results, "auc", form=form) for form in ("float", "folded", "quantised")]
    rejection = [measured(results, "rejection_30", form=form) for form in ("float", "quantised")]
    lost = auc[0].mean - auc[2].mean
    return [*(a.text(4) for a in auc), f"{lost:.4f}", *(r.text(0) for r in rejection)]

"""The loss in each step from the float network to the firmware, and the number of bits needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

from nanopelican_hls.config import Config
from nanopelican_hls.config.recipes import recommended
from nanopelican_hls.markdown import table
from nanopelican_hls.studies.runner import Result
from nanopelican_hls.studies.study import Results, Study, named
from nanopelican_hls.studies.tables import measured
from nanopelican_hls.topology.config import Coordinates, QuantiserConfig, QuantisersConfig

SIZES = (8, 16)
CHANNELS = (1, 2, 4)
#: number of constituents in the scans of widths
SCANNED = 8
LABORATORY_BITS = (8, 10, 12, 14, 16)
LIGHT_CONE_BITS = (5, 6, 7, 8, 10)
INNER_BITS = (4, 5, 6, 7, 8, 10)
#: of the rest, beyond those of a constituent
MORE_BITS_OF_REST = 1
#: not varied in the scan of inner widths: ports and output
OF_FIXED_WIDTH = ("momenta", "rest_momenta", "logit", "tensors")
#: columns of `_steps`
STEPS_HEAD = ("AUC float", "folded", "quantised", "lost in AUC", "rejection at 30% float", "quantised")


class SizeStudy(Study):
    """AUC and rejection of the float, folded and quantised network against N and C."""

    name = "firmware"

    def configs(self) -> list[Config]:
        return [_of_size(n, c) for n in SIZES for c in CHANNELS]

    def page(self, results: Results) -> str:
        rows = [[c.network.n_constituents, c.network.channels, *_steps(found)] for c, found in results.items()]
        return table(["N", "C", *STEPS_HEAD], rows)

    def pictures(self, results: Results) -> Mapping[str, bytes]:
        from nanopelican_hls.studies.pictures import against_size

        curves: dict[str, dict[int, Sequence[Result]]] = {}
        for config, found in results.items():
            curve = curves.setdefault(f"C = {config.network.channels}", {})
            curve[config.network.n_constituents] = found
        return {"firmware.png": against_size(curves)}


class WidthStudy(Study):
    """AUC against momentum width in both coordinates, and against inner widths; N = 8, one seed."""

    name = "widths"

    def configs(self) -> list[Config]:
        base = recommended()
        uniform = replace(base.quantisers, tensors=None)  # no tensor has a width of its own
        base = replace(base, training=replace(base.training, seeds=base.training.seeds[:1]), quantisers=uniform)
        base = replace(base, network=replace(base.network, n_constituents=SCANNED))
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
    "laboratory": "Momenta in the laboratory (the rest's a bit wider)",
    "light-cone": "Momenta in light-cone coordinates (the rest's a bit wider)",
    "inner": "Inner quantisers, light-cone momenta of 8 bits (d, mix, relu and weights of this width, others wider)",
}


def _of_size(n: int, channels: int) -> Config:
    """The recommended form and widths, of another size."""
    base = recommended()
    return named(base, f"n{n}-c{channels}", network=replace(base.network, n_constituents=n, channels=channels))


def _of_scan(results: Results, scan: str) -> dict[int, Sequence[Result]]:
    """Results of one scan by width."""
    names = {config.name.rpartition("-"): found for config, found in results.items()}
    return {int(bits): found for (name, _, bits), found in names.items() if name == scan}


def _momenta(quantisers: QuantisersConfig, bits: int) -> QuantisersConfig:
    rest = QuantiserConfig(bits + MORE_BITS_OF_REST)
    return replace(quantisers, momenta=QuantiserConfig(bits), rest_momenta=rest)


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

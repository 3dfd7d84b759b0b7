"""Jet histograms, filled chunk by chunk so that files of any size can be plotted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets, pt_gev
from nanopelican_hls.jets.coordinates import to_light_cone
from nanopelican_hls.jets.two_samples import mass_gev
from nanopelican_hls.operators._minkowski import dot

#: quantity -> bin edges; values outside are counted in the first or last bin
EDGES: Mapping[str, NDArray[np.float64]] = {
    "multiplicity": np.arange(-0.5, 501),
    "mass_gev": np.arange(0.0, 2001, 4),
    "pt_gev": np.logspace(-2, 4, 121),
    "d_bits": np.arange(-20, 30.01, 0.25),
}


@dataclass
class ClassHistograms:
    """Histograms of one class of jets.

    Attributes
    ----------
    jets : int
        Number of jets.
    counts : dict of str to int64 array
        Entries in the bins of `EDGES`: jets for ``multiplicity`` and ``mass_gev``; constituents, all those in the file,
        for ``pt_gev``; pairs of constituents for ``d_bits``, which is log2 of the product d_ij in GeV^2, so that a pair
        in the bin from b - 1 to b needs b bits before the binary point.
    """

    jets: int = 0
    counts: dict[str, NDArray[np.int64]] = field(
        default_factory=lambda: {name: np.zeros(len(edges) - 1, dtype=np.int64) for name, edges in EDGES.items()}
    )

    def add(self, jets: Jets, n_constituents: int) -> None:
        """Fill with jets; products are taken among the leading ``n_constituents``."""
        pt = pt_gev(jets.four_momenta)
        products = _products_gev2(jets, n_constituents)
        values = {
            "multiplicity": jets.multiplicity,
            "mass_gev": mass_gev(jets),
            "pt_gev": pt[pt > 0],
            # rounding can make the product of parallel particles 0 or negative: it needs no bits
            "d_bits": np.log2(np.maximum(products, np.finfo(float).tiny)),
        }
        self.jets += len(jets)
        for name, array in values.items():
            edges = EDGES[name]
            self.counts[name] += np.histogram(np.clip(array, edges[0], edges[-1]), edges)[0]

    def share_clipped(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Numbers of bits before the binary point, and the fraction of products d_ij that overflow each."""
        counts = self.counts["d_bits"]
        above = np.concatenate([np.cumsum(counts[::-1])[::-1], [0]])
        return EDGES["d_bits"], above / max(above[0], 1)

    def share_clipped_at(self, bits: int) -> float:
        """Fraction of products at or above 2^bits GeV^2."""
        edges, share = self.share_clipped()
        return float(share[np.searchsorted(edges, bits)]) if bits <= edges[-1] else 0.0

    def mean(self, name: str) -> float:
        """Mean of a quantity, accurate to half a bin."""
        edges, counts = EDGES[name], self.counts[name]
        return float(np.average((edges[1:] + edges[:-1]) / 2, weights=counts)) if counts.any() else float("nan")


def fill(chunks: Iterable[Jets], n_constituents: int) -> dict[str, ClassHistograms]:
    """Fill histograms per class: "signal" and "background", the class names, or "all jets" if there are no labels.

    Parameters
    ----------
    chunks : iterable of Jets
        For instance from `iterate_jets`.
    n_constituents : int
        Number of leading constituents among which products d_ij are taken.

    Raises
    ------
    JetsError
        If there are fewer than two constituents, so no products.
    """
    if n_constituents < 2:
        raise JetsError(f"{n_constituents} constituents have no products", remedy="use at least 2")
    classes: dict[str, ClassHistograms] = {}
    for jets in chunks:
        for name, part in _by_class(jets).items():
            histograms = classes.setdefault(name, ClassHistograms())
            if len(part):
                histograms.add(part, n_constituents)
    return {name: histograms for name, histograms in classes.items() if histograms.jets}


def smallest_width(classes: Iterable[ClassHistograms], share: float = 1e-3) -> int:
    """Fewest bits before the binary point that clip at most ``share`` of the products of each class."""
    widths = range(int(EDGES["d_bits"][-1]) + 1)
    return next(bits for bits in widths if all(c.share_clipped_at(bits) <= share for c in classes))


def _by_class(jets: Jets) -> dict[str, Jets]:
    if jets.labels is None:
        return {"all jets": jets}
    if jets.classes is not None:
        return {name: jets[jets.labels == label] for label, name in enumerate(jets.classes)}
    return {"signal": jets[jets.labels == 1], "background": jets[jets.labels == 0]}


def _products_gev2(jets: Jets, n_constituents: int) -> NDArray[np.float64]:
    """Products of all pairs of leading constituents that are present, in GeV^2."""
    momenta = jets.four_momenta[:, :n_constituents]
    components = list(np.moveaxis(to_light_cone(momenta, jets.jet_four_momentum), -1, 0))
    i, j = np.triu_indices(momenta.shape[1], k=1)
    products: NDArray[np.float64] = dot([c[:, i] for c in components], [c[:, j] for c in components], "light_cone")
    return products[(momenta[:, i, 0] > 0) & (momenta[:, j, 0] > 0)]

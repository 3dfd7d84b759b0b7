"""Comparison of two jet samples: spectra per class, with Kolmogorov-Smirnov tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets, pt_gev

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SpectrumTest:
    """One quantity of one class in two samples: means and two-sample Kolmogorov-Smirnov test."""

    jet_class: str
    quantity: str
    means: tuple[float, float]
    statistic: float
    p_value: float


def mass_gev(jets: Jets) -> Floats:
    """Masses [n] of the jets in GeV; 0 where rounding makes the square negative."""
    energy, px, py, pz = jets.jet_four_momentum.T
    mass: Floats = np.sqrt(np.maximum(energy**2 - px**2 - py**2 - pz**2, 0.0))
    return mass


def mass_cut_auc(jets: Jets) -> float:
    """Area under the ROC curve of a lower cut on the jet mass; a `JetsError` if there are more than two classes."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(jets.binary_labels("jets of the mass cut"), mass_gev(jets)))


def _constituent_pt(rank: int) -> Callable[[Jets], Floats]:
    return lambda jets: pt_gev(jets.four_momenta[:, rank - 1])


def _complete_up_to(jets: Jets) -> float:
    """Rank up to which no jet has lost constituents to a cut."""
    present = np.count_nonzero(jets.four_momenta[..., 0], axis=1)
    cut_off = present < jets.multiplicity
    return float(present[cut_off].min()) if cut_off.any() else np.inf


#: quantity -> values [n]; one per jet, so that they are independent, as the test assumes
QUANTITIES: dict[str, Callable[[Jets], Floats]] = {
    "multiplicity": lambda jets: jets.multiplicity.astype(np.float64),
    "mass, GeV": mass_gev,
    "jet pT, GeV": lambda jets: pt_gev(jets.jet_four_momentum),
}
#: ranks of the constituents whose pT is also compared, 1 being the hardest
RANKS = (1, 2, 5, 10, 20, 40)


def compare_samples(first: Jets, second: Jets) -> list[SpectrumTest]:
    """Test every quantity in `QUANTITIES`, and the pT of the constituents in `RANKS`, for every class.

    A constituent that a jet does not have counts as pT 0. Ranks that were cut off in any jet of either sample are
    skipped.

    Raises
    ------
    JetsError
        If a sample has no labels or lacks a class, or they have different classes.
    """
    from scipy import stats

    samples = [first, second]
    for name, jets in zip(("first", "second"), samples, strict=True):
        if jets.labels is None or len(np.unique(jets.labels)) < len(_classes(jets)):
            which = "both" if len(_classes(jets)) == 2 else "all"
            raise JetsError(
                f"needs labelled jets of {which} classes", where=f"the {name} sample", remedy="use a file with labels"
            )
    if _classes(first) != _classes(second):
        found = " and ".join(", ".join(_classes(jets).values()) for jets in samples)
        raise JetsError(
            f"have different classes: {found}", where="the two samples", remedy="compare samples with the same classes"
        )
    # the same number of places in both, so that padding compares as padding
    places = max(*RANKS, *(jets.four_momenta.shape[1] for jets in samples))
    samples = [jets.leading(places) for jets in samples]
    complete = min(_complete_up_to(jets) for jets in samples)
    quantities = QUANTITIES | {
        f"pT of constituent {rank}, GeV": _constituent_pt(rank) for rank in RANKS if rank <= complete
    }
    rows = []
    for label, jet_class in _classes(first).items():
        pair = [jets[jets.labels == label] for jets in samples if jets.labels is not None]
        for quantity, values_of in quantities.items():
            a, b = (values_of(jets) for jets in pair)
            test = stats.ks_2samp(a, b)
            rows.append(SpectrumTest(jet_class, quantity, (a.mean(), b.mean()), test.statistic, test.pvalue))
    return rows


def _classes(jets: Jets) -> dict[int, str]:
    """Label -> class."""
    return {1: "top", 0: "QCD"} if jets.classes is None else dict(enumerate(jets.classes))


def markdown(rows: Sequence[SpectrumTest], first: str, second: str) -> str:
    """The tests as a table."""
    lines = [
        f"| class | quantity | mean, {first} | mean, {second} | KS statistic | p value |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        means = " | ".join(f"{mean:.2f}" for mean in row.means)
        lines.append(f"| {row.jet_class} | {row.quantity} | {means} | {row.statistic:.4f} | {row.p_value:.3f} |")
    return "\n".join(lines) + "\n"

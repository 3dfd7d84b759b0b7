"""What the tagger does: ROC curves, efficiencies against the jet's kinematics, and the mass of what passes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.analysis.kinematics import VARIABLES, WorkingPoint, working_point
from nanopelican_hls.baselines import create
from nanopelican_hls.evaluation.class_metrics import against_others, class_figures, class_rocs
from nanopelican_hls.evaluation.metrics import LEAST_JETS, figures
from nanopelican_hls.evaluation.rejections import rejections
from nanopelican_hls.jets import Jets
from nanopelican_hls.jets.two_samples import mass_gev
from nanopelican_hls.report.content import (
    Block,
    Cell,
    Column,
    Measured,
    Missing,
    Panel,
    Paragraph,
    Picture,
    Section,
    Series,
    Table,
    number,
)
from nanopelican_hls.report.subject import Subject

Floats = NDArray[np.float64]

#: signal efficiencies at which a ROC curve is drawn
EFFICIENCIES = np.linspace(0.05, 0.999, 120)
#: share of the background at the working point of the kinematics
BACKGROUND = 0.01
#: looser ones, beside which the mass is shown
LOOSE = 0.1
#: edges of the mass, in GeV, of pictures
MASS_EDGES = np.linspace(0, 300, 31)
#: axis labels
VARIABLE_LABELS = {
    "pt_gev": "jet pT [GeV]",
    "mass_gev": "jet mass [GeV]",
    "abs_eta": "jet |η|",
    "multiplicity": "constituents of the jet",
}
VARIABLE_NAMES = {"pt_gev": "pT", "mass_gev": "the mass", "abs_eta": "|η|", "multiplicity": "the multiplicity"}
#: columns of figures of merit
FIGURES = (
    Column("AUC", ".4f"),
    Column("accuracy", ".4f"),
    Column("rejection at 30%", ",.0f"),
    Column("rejection at 50%", ",.0f"),
    Column("loss", ".4f"),
)


@dataclass(frozen=True, eq=False)
class Tagger:
    """Logits [n] of a tagger, with its name and colour."""

    title: str
    role: str
    logits: Floats


def section(subject: Subject) -> Section:
    return Section(
        "physics",
        "Physics",
        "How well does it tag, what does quantisation cost, on which jets, and does it sculpt the mass?",
        tuple(_blocks(subject)),
    )


def _blocks(subject: Subject) -> list[Block]:
    cards = [*_places(subject), *_of_card(subject)]
    labels = subject.labels
    if labels is None:
        return [*cards, subject.without_labels]
    if subject.classes:
        return [*cards, *_several(subject, labels)]
    taggers = _taggers(subject, labels)
    jets = replace(subject.jets, labels=labels, classes=None)
    points = [(each, working_point(jets, each.logits, BACKGROUND)) for each in taggers[:3]]
    return [
        _figures(subject, labels, taggers),
        *cards,
        _roc(subject, labels, taggers),
        _scores(subject, labels),
        *_kinematics(subject, points),
        *_masses(subject, jets, labels, *points[1]),
    ]


def _places(subject: Subject) -> list[Block]:
    """What to know of figures on jets that have fewer constituents in their file than the network takes."""
    held, taken = subject.jets.four_momenta.shape[1], subject.config.network.n_constituents
    if held >= taken:
        return []
    return [
        Paragraph(
            f"{subject.jets_path.name} has no more than the {held} leading constituents of a jet, the network takes "
            f"{taken}: what is measured here is not its best. A file with more is named with --jets FILE."
        )
    ]


def _of_card(subject: Subject) -> list[Block]:
    """Figures that were measured when the model was trained."""
    if not subject.card:
        return [Missing("The model has no card", subject.calls("train", "--train FILE --valid FILE --test FILE"))]
    rows = [
        (f"{sample}, {form}", *figure_cells(found))
        for sample, forms in subject.card["figures"].items()
        for form, found in forms.items()
    ]
    data = subject.card["data"]
    files = ", ".join(f"{sample}: {each['jets']:,} jets of {each['file']}" for sample, each in data.items())
    return [
        Table(
            "card",
            f"Figures of the model's card, measured after training ({files}). Of several classes, the mean AUC.",
            (Column("jets, network"), *FIGURES),
            tuple(rows),
            subject.card["command"],
        )
    ]


def figure_cells(found: Mapping[str, float]) -> list[Cell]:
    """Figures of merit in the order of `FIGURES`."""
    cells: list[Cell] = []
    for name in ("auc", "accuracy", "rejection_30", "rejection_50", "loss"):
        value, error = found.get(name), found.get(f"{name}_error")
        bound = name.startswith("rejection") and error is not None and value is not None and error >= value
        cells.append(value if value is None or error is None else Measured(value, error, bound))
    return cells


def _taggers(subject: Subject, labels: NDArray[np.int8]) -> list[Tagger]:
    masses = mass_gev(subject.jets)
    return [
        Tagger("float", "float", subject.float_logits),
        Tagger("quantised, as the firmware", "quantised", subject.logits),
        Tagger("jet-mass likelihood", "likelihood", _likelihood(subject.jets, labels)),
        Tagger("jet-mass cut", "mass", masses),
    ]


def _likelihood(jets: Jets, labels: NDArray[np.int8]) -> Floats:
    """Logits of the jet-mass likelihood; each half of the jets by the histograms of the other half."""
    halves = np.zeros(len(jets), dtype=bool)
    for label in (0, 1):
        halves[np.flatnonzero(labels == label)[::2]] = True
    found = np.empty(len(jets))
    for half in (halves, ~halves):
        baseline = create("jet-mass-likelihood")
        baseline.fit(jets[~half])
        found[half] = baseline.logits(jets[half])
    return found


def _figures(subject: Subject, labels: NDArray[np.int8], taggers: Sequence[Tagger]) -> Table:
    rows = []
    for tagger in taggers:
        found = figures(labels, tagger.logits).as_dict()
        if tagger.role == "mass":  # no logit
            found = {name: value for name, value in found.items() if not name.startswith(("loss", "accuracy"))}
        rows.append((tagger.title, *figure_cells(found)))
    return Table(
        "figures",
        f"Figures of merit on {subject.said_of_jets}: {np.count_nonzero(labels == 1):,} signal, "
        f"{np.count_nonzero(labels == 0):,} background. Rejection is one over the background efficiency at the given "
        "signal efficiency. Errors are of the number of jets; the taggers share the jets, so their differences are "
        "known better. The likelihood of each half of the jets is fitted to the other half.",
        (Column("tagger"), *FIGURES),
        tuple(rows),
        subject.command,
    )


def _roc(subject: Subject, labels: NDArray[np.int8], taggers: Sequence[Tagger]) -> Picture:
    series, said = [], []
    for tagger in taggers:
        found = rejections(labels, tagger.logits, EFFICIENCIES)
        shown = found.error <= found.rejection / 2  # four jets or more
        series.append(
            Series(
                tagger.title,
                tagger.role,
                "line",
                _tuple(found.signal_efficiency[shown]),
                _tuple(found.rejection[shown]),
                error=_tuple(found.error[shown]),
                dashed=tagger.role == "float",
            )
        )
        at_half = rejections(labels, tagger.logits, [0.5])
        said.append(f"{tagger.title} {at_half.rejection[0]:,.0f} ± {at_half.error[0]:,.0f}")
    return Picture(
        "roc",
        "ROC curves with bands of one standard deviation, from the number of background jets that pass. Where fewer "
        "than four pass, nothing is drawn.",
        f"Background rejection falls with the signal efficiency for every tagger. At 50% signal efficiency: "
        f"{'; '.join(said)}.",
        "signal efficiency",
        (Panel("background rejection", tuple(series), log=True),),
        subject.command,
        limits=(0.0, 1.0),
    )


def _scores(subject: Subject, labels: NDArray[np.int8]) -> Picture:
    """Distribution of the firmware's logit, in bins of whole steps of its grid."""
    low, high = int(subject.integers.min()), int(subject.integers.max()) + 1
    step = max(1, -(-(high - low) // 60))
    edges = np.arange(low, high + step, step)
    unit = subject.logits[0] / subject.integers[0] if subject.integers[0] else 1.0
    series = []
    for role, label in (("signal", 1), ("background", 0)):
        values = subject.integers[labels == label]
        counts = np.histogram(values, edges)[0]
        shares, errors = counts / len(values), np.sqrt(counts) / len(values)
        series.append(Series(role, role, "steps", _tuple(edges * unit), _tuple(shares), error=_tuple(errors)))
    middle = [float(np.median(subject.logits[labels == label])) for label in (1, 0)]
    return Picture(
        "scores",
        f"The firmware's logit, in bins of {step} step{'s' * (step > 1)} of its grid.",
        f"Distributions of the logit of signal and background, with medians {middle[0]:.2f} and {middle[1]:.2f}.",
        "logit",
        (Panel("share of the jets / bin", tuple(series)),),
        subject.command,
    )


def _kinematics(subject: Subject, points: Sequence[tuple[Tagger, WorkingPoint]]) -> list[Block]:
    own = points[1][1]
    blocks: list[Block] = [
        Paragraph(
            f"Efficiencies in bins of equally many jets, each tagger at its threshold for {100 * BACKGROUND:g}% of the "
            f"background; the quantised one passes {100 * own.signal:.1f}% of the signal there."
        )
    ]
    for variable in VARIABLES:
        blocks.append(_against(subject, variable, points))
    rows = [
        (
            f"{VARIABLE_LABELS[each.variable]}, {each.low:.4g} to {each.high:.4g}",
            *_efficiency(each.signal, each.signal_error, each.signal_jets),
            *_efficiency(each.background, each.background_error, each.background_jets),
        )
        for each in own.bins
    ]
    blocks.append(
        Table(
            "bins",
            f"The same as numbers, of the quantised network at its threshold: a logit of at least {own.threshold:g}",
            (
                Column("bin"),
                Column("signal efficiency", ".3f"),
                Column("signal jets"),
                Column("background efficiency", ".4f"),
                Column("background jets"),
            ),
            tuple(rows),
            subject.command,
            title=f"Efficiencies of the quantised network in bins, at {100 * BACKGROUND:g}% of the background",
            folded=True,
        )
    )
    return blocks


def _efficiency(share: float, error: float, jets: int) -> tuple[Cell, Cell]:
    return (Measured(share, error) if jets >= LEAST_JETS and math.isfinite(share) else None), jets


def _against(subject: Subject, variable: str, points: Sequence[tuple[Tagger, WorkingPoint]]) -> Picture:
    signal = [_binned(tagger, point, variable, "signal") for tagger, point in points]
    background = [_binned(tagger, point, variable, "background") for tagger, point in points]
    quantised = signal[1]
    trend = f"from {quantised.y[0]:.2f} in the first bin to {quantised.y[-1]:.2f} in the last" if quantised.y else ""
    return Picture(
        f"against_{variable}",
        f"Signal and background efficiency against {VARIABLE_NAMES[variable]}, at {100 * BACKGROUND:g}% of the "
        f"background. "
        f"Bins with fewer than {LEAST_JETS} jets are left out.",
        f"Signal efficiency against {VARIABLE_NAMES[variable]}: of the quantised network {trend}, largest "
        f"{max(quantised.y, default=0):.2f}; below, the background efficiency, up to "
        f"{max(background[1].y, default=0):.3f} where the mean is {BACKGROUND:g}.",
        VARIABLE_LABELS[variable],
        (
            Panel("signal efficiency", tuple(signal), limits=(0.0, 1.05)),
            Panel("background eff.", tuple(background), log=True, legend=False),
        ),
        subject.command,
    )


def _binned(tagger: Tagger, point: WorkingPoint, variable: str, kind: str) -> Series:
    bins = [b for b in point.bins if b.variable == variable and getattr(b, f"{kind}_jets") >= LEAST_JETS]
    # no point on a logarithmic axis where nothing passes
    bins = [b for b in bins if getattr(b, kind) > 0 or kind == "signal"]
    return Series(
        tagger.title,
        tagger.role,
        "points",
        tuple((b.low + b.high) / 2 for b in bins),
        tuple(getattr(b, kind) for b in bins),
        error=tuple(getattr(b, f"{kind}_error") for b in bins),
        x_error=tuple((b.high - b.low) / 2 for b in bins),
    )


def _masses(subject: Subject, jets: Jets, labels: NDArray[np.int8], tagger: Tagger, tight: WorkingPoint) -> list[Block]:
    """Whether the tagger sculpts the mass: shapes of what passes, and the logit against the mass."""
    masses, background, logits = mass_gev(jets), labels == 0, tagger.logits
    loose = working_point(jets, logits, LOOSE)
    shapes = [_shape("all background", "all", masses[background])]
    rows: list[tuple[Cell, ...]] = []
    for share, role, point in ((LOOSE, "loose", loose), (BACKGROUND, "tight", tight)):
        passing = background & (logits >= point.threshold)
        if np.count_nonzero(passing) >= LEAST_JETS:
            shapes.append(_shape(f"{100 * share:g}% of it that pass", role, masses[passing]))
        rows.append(
            (
                f"{100 * share:g}% of the background",
                point.threshold,
                100 * point.signal,
                100 * point.background,
                point.sculpting.divergence,
                point.sculpting.random,
                float(np.mean(masses[passing])) if passing.any() else None,
                float(np.mean(masses[background])),
            )
        )
    shapes.append(_shape("all signal", "signal", masses[~background], dashed=True))
    worst = number(rows[-1][4])
    known = worst is not None and math.isfinite(worst)
    moved = f"the divergence is {worst:.3f} bits" if known else "too few pass for a divergence"
    return [
        Picture(
            "mass_shapes",
            "Mass of background jets, all and those that pass, and of the signal. A tagger that does not know the mass "
            "leaves the shape as it is.",
            f"Shapes of the jet mass. The background that passes moves towards the signal's peak: {moved} at "
            f"{100 * BACKGROUND:g}%.",
            "jet mass [GeV]",
            (Panel("share of the jets / 10 GeV", tuple(shapes)),),
            subject.command,
            limits=(0.0, 300.0),
            compared=f"Mass of the background jets that pass, at {100 * BACKGROUND:g}% of the background.",
        ),
        Picture(
            "score_mass",
            "The firmware's logit against the mass: median, and band of the central 68%.",
            "The median logit of signal and background in bins of the jet mass, with the central 68% of the jets.",
            "jet mass [GeV]",
            (
                Panel(
                    "logit",
                    (
                        *_profile("signal", masses, logits, ~background),
                        *_profile("background", masses, logits, background),
                    ),
                ),
            ),
            subject.command,
            limits=(0.0, 300.0),
        ),
        Table(
            "sculpting",
            "How far the mass of background jets that pass differs from that of those that fail: Jensen-Shannon "
            "divergence, 0 bits if the cut does not know the mass, 1 if the masses do not overlap; and that of a "
            "random "
            "cut that passes as many jets.",
            (
                Column("cut"),
                Column("logit at least", ".5g"),
                Column("signal passes", ".1f", "%"),
                Column("background passes", ".2f", "%"),
                Column("divergence", ".3f", "bits"),
                Column("of a random cut", ".3f", "bits"),
                Column("mean mass that passes", ".0f", "GeV"),
                Column("mean mass", ".0f", "GeV"),
            ),
            tuple(rows),
            subject.command,
        ),
    ]


def _shape(label: str, role: str, masses: Floats, *, dashed: bool = False) -> Series:
    counts = np.histogram(masses, MASS_EDGES)[0]
    shares, errors = counts / len(masses), np.sqrt(counts) / len(masses)
    return Series(label, role, "steps", _tuple(MASS_EDGES), _tuple(shares), error=_tuple(errors), dashed=dashed)


def _profile(role: str, masses: Floats, logits: Floats, chosen: NDArray[np.bool_]) -> list[Series]:
    edges = np.linspace(0, 300, 16)
    place = np.digitize(masses, edges) - 1
    found = []
    for k in range(len(edges) - 1):
        inside = logits[chosen & (place == k)]
        if len(inside) >= LEAST_JETS:
            found.append(((edges[k] + edges[k + 1]) / 2, *np.quantile(inside, [0.16, 0.5, 0.84])))
    x, low, middle, high = (
        (tuple(float(v) for v in column) for column in zip(*found, strict=True)) if found else 4 * [()]
    )
    return [
        Series("", role, "band", x, low, high=high),
        Series(role, role, "line", x, middle),
    ]


def _several(subject: Subject, labels: NDArray[np.int8]) -> list[Block]:
    """Figures and ROC curves of each class against all others."""
    rows: list[tuple[Cell, ...]] = []
    for title, logits in (("float", subject.float_logits), ("quantised, as the firmware", subject.logits)):
        found = class_figures(labels, logits, subject.classes)
        rows.append(
            (f"{title}, mean", *figure_cells({"auc": found.auc, "accuracy": found.accuracy, "loss": found.loss}))
        )
        rows += [(f"{title}, {name}", *figure_cells(each)) for name, each in found.classes.items()]
    series = []
    for k, name in enumerate(class_rocs(labels, subject.logits, subject.classes)):
        found_at = rejections(labels == k, against_others(subject.logits, k), EFFICIENCIES)
        shown = found_at.error <= found_at.rejection / 2
        line = [_tuple(each[shown]) for each in (found_at.signal_efficiency, found_at.rejection, found_at.error)]
        series.append(Series(name, f"class{k % 6}", "line", line[0], line[1], error=line[2]))
    return [
        Table(
            "figures",
            f"Figures of merit on {subject.said_of_jets}: each class against all others, with errors of the number of "
            "jets.",
            (Column("network, class"), *FIGURES),
            tuple(rows),
            subject.command,
        ),
        Picture(
            "roc",
            "ROC curve of each class against all others, of the quantised network, with bands of one standard "
            "deviation.",
            f"One falling curve for each of the classes {', '.join(subject.classes)}; the table has their AUC.",
            "efficiency of the class",
            (Panel("rejection of all others", tuple(series), log=True),),
            subject.command,
            limits=(0.0, 1.0),
        ),
    ]


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(float(each) for each in values)

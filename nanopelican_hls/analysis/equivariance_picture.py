"""Plot of the drift of a quantised network under Lorentz transformations (requires matplotlib, extra ``pictures``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from nanopelican_hls.analysis.equivariance import Drift, Kind
from nanopelican_hls.jets.pictures import STYLE

#: colour-blind-safe hues (Okabe and Ito)
COLOURS = {Kind.BEAM: "#0072B2", Kind.TRANSVERSE: "#D55E00", Kind.ANY: "#009E73"}
LABELS = {
    Kind.BEAM: "along the beam, rotated about it",
    Kind.TRANSVERSE: "across the beam, rotated about it",
    Kind.ANY: "any direction, any rotation",
}
#: the axis is linear below this |change of the logit|
LINEAR_BELOW = 0.1


def draw(trained: Sequence[Drift], requantised: Sequence[Drift], title: str, caption: str) -> Figure:
    """Plot change of the logit, flipped tags and AUC: top row against |beta|, bottom row against momentum width.

    Parameters
    ----------
    trained : sequence of Drift
        Of one network at several velocities.
    requantised : sequence of Drift
        Of networks with several momentum widths, at one velocity.
    title, caption : str
        Text above and below the figure.
    """
    style: Any = STYLE
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(11.0, 6.6), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        rows = figure.subplots(2, 3)
        _draw_row(rows[0], trained, "beta", "|beta| of the boost")
        rows[0][2].set_title(f"trained network, {trained[0].momentum_bits} bits")
        if requantised:
            _draw_row(rows[1], requantised, "momentum_bits", "bits of the momenta")
            rows[1][2].set_title(f"requantised, not retrained; |beta| = {requantised[0].beta:g}")
            auc_before = {drift.momentum_bits: drift.auc_before for drift in requantised}
            rows[1][2].plot(*zip(*sorted(auc_before.items()), strict=True), ":", color="black", label="not transformed")
            rows[1][2].legend(loc="lower right")
        else:
            for axes in rows[1]:
                axes.set_visible(False)
        rows[0][0].legend(loc="upper left", fontsize="small")
        figure.supxlabel(caption, fontsize=8, x=0.01, ha="left")
    return figure


def _draw_row(row: Sequence[Any], drifts: Sequence[Drift], key: str, label: str) -> None:
    change, flipped, auc = row
    for kind in Kind:
        chosen = [drift for drift in drifts if drift.kind is kind]
        x = [getattr(drift, key) for drift in chosen]
        style = {"color": COLOURS[kind], "marker": "o", "markersize": 3, "lw": 1.4}
        change.plot(x, [drift.quantiles[0] for drift in chosen], label=LABELS[kind], **style)
        change.plot(x, [drift.quantiles[1] for drift in chosen], **style | {"ls": "--", "marker": ""})
        flipped.plot(x, [100 * drift.flipped for drift in chosen], **style)
        auc.plot(x, [drift.auc for drift in chosen], **style)
    change.set_yscale("symlog", linthresh=LINEAR_BELOW)
    change.set(ylabel="|change of the logit|", title="median, and 90% quantile (dashed)", ylim=(0, None))
    flipped.set(ylabel="jets whose tag flips, %", ylim=(0, None))
    auc.set(ylabel="AUC of the transformed jets")
    for axes in row:
        axes.set_xlabel(label)
        if key == "momentum_bits":
            axes.xaxis.get_major_locator().set_params(integer=True)

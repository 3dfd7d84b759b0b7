"""Plot of a working point against the kinematics of the jet (requires matplotlib, extra ``pictures``)."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from nanopelican_hls.analysis.kinematics import MASS_BINS, MASS_GEV, VARIABLES, Floats, WorkingPoint
from nanopelican_hls.evaluation.metrics import LEAST_JETS
from nanopelican_hls.jets.pictures import COLOURS, STYLE

LABELS = {"pt_gev": "pT, GeV", "mass_gev": "mass, GeV", "abs_eta": "|eta|", "multiplicity": "number of constituents"}


def draw(point: WorkingPoint, masses: Floats, passed: Any, title: str, caption: str) -> Figure:
    """Signal efficiency and background efficiency in bins of each variable; the mass of all and of passing background.

    Parameters
    ----------
    point : WorkingPoint
        What is drawn.
    masses : float64 [n]
        Of the background jets, in GeV.
    passed : bool [n]
        Which of them pass.
    title, caption : str
        Text above and below the figure.
    """
    style: Any = STYLE
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(11.0, 6.6), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        places = figure.subplots(2, 3).ravel()
        for axes, variable in zip(places, VARIABLES, strict=False):
            bins = [each for each in point.bins if each.variable == variable]
            edges = np.array([*(each.low for each in bins), bins[-1].high])
            middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
            for kind in ("signal", "background"):
                # of a few jets there is no efficiency to speak of
                shown = np.array([getattr(each, f"{kind}_jets") >= LEAST_JETS for each in bins])
                values, errors = (np.array([getattr(each, kind + of) for each in bins]) for of in ("", "_error"))
                points = (middle[shown], values[shown], errors[shown], half[shown])
                axes.errorbar(*points, ".", color=COLOURS[kind], capsize=2, label=kind)
            axes.axhline(point.background, color=COLOURS["background"], lw=0.8, ls=":")
            axes.set(xlabel=LABELS[variable], ylabel="efficiency", yscale="log", ylim=(point.background / 30, 1.5))
        places[0].legend(loc="lower right")
        edges = np.linspace(0, MASS_GEV, MASS_BINS + 1)
        for kind, chosen in (("all", np.full(len(masses), fill_value=True)), ("that pass", passed)):
            colour = COLOURS["background"] if kind == "that pass" else COLOURS["all jets"]
            places[4].hist(masses[chosen], edges, density=True, histtype="step", color=colour, label=kind)
        places[4].set(xlabel="mass of background jets, GeV", ylabel="share per GeV")
        places[4].legend(loc="upper right", title=f"divergence {point.sculpting.divergence:.3f} bits")
        places[5].set_visible(False)
        figure.supxlabel(caption, fontsize=8, x=0.01, ha="left")
    return figure

"""Plots of studies (requires matplotlib, extra ``pictures``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from nanopelican_hls.studies.runner import Result
from nanopelican_hls.studies.tables import Measured, measured
from nanopelican_hls.training.pictures import png

#: below the best, where curves against bits are cut off: networks of too few bits guess
AUC_SHOWN = 0.02


def against_width(curves: Mapping[str, Mapping[int, Measured]]) -> bytes:
    """AUC of the quantised network against bits, one curve per scan; error bars are the spread over seeds."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for title, points in curves.items():
        values = list(points.values())
        spread = [value.spread for value in values]
        axes.errorbar(list(points), [value.mean for value in values], yerr=spread, marker="o", capsize=3, label=title)
    best = max(value.mean for points in curves.values() for value in points.values())
    axes.set_ylim(best - AUC_SHOWN, best + AUC_SHOWN / 10)
    axes.set_xlabel("bits")
    axes.set_ylabel("AUC of the quantised network")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", fontsize="small")
    return png(figure)


def against_size(curves: Mapping[str, Mapping[int, Sequence[Result]]]) -> bytes:
    """AUC of float and quantised networks against N, one colour per curve; error bars are the spread over seeds."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for colour, (title, found) in enumerate(curves.items()):
        for form, style in (("float", "--"), ("quantised", "-")):
            values = [measured(r, "auc", form=form) for r in found.values()]
            means, spread = [value.mean for value in values], [value.spread for value in values]
            axes.errorbar(
                list(found),
                means,
                yerr=spread,
                color=f"C{colour}",
                linestyle=style,
                marker=".",
                capsize=3,
                label=f"{title}, {form}",
            )
    axes.set_xlabel("constituents")
    axes.set_ylabel("AUC")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize="small")
    return png(figure)


def against_cost(curves: Mapping[str, Sequence[tuple[float, float, str]]]) -> bytes:
    """Background rejection against cost, one colour per form; the best at any cost are labelled and joined."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    for form, points in curves.items():
        axes.scatter([cost for cost, *_ in points], [rejection for _, rejection, _ in points], s=18, label=form)
    frontier: list[tuple[float, float, str]] = []
    for point in sorted(point for points in curves.values() for point in points):
        if not frontier or point[1] > frontier[-1][1]:
            frontier.append(point)
    axes.step([p[0] for p in frontier], [p[1] for p in frontier], where="post", color="0.5", linewidth=1)
    for cost, rejection, label in frontier:
        axes.annotate(label, (cost, rejection), fontsize="x-small", xytext=(3, 4), textcoords="offset points")
    axes.set_xscale("log")
    axes.set_xlabel("ReLUs at pair level")
    axes.set_ylabel("background rejection at 30% signal efficiency")
    axes.grid(alpha=0.3, which="both")
    axes.legend(loc="upper left", title="form, spurions")
    return png(figure)

"""Plot of mixed precision (requires matplotlib, extra ``pictures``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from nanopelican_hls.studies.measurement import Measurement
from nanopelican_hls.training.pictures import png

#: the axes are linear below this increase of the loss
LINEAR_BELOW = 1e-3


def loss_against_cost(found: Sequence[Measurement]) -> bytes:
    """Left: fine-tuned test loss above the model's against cost. Right: measured against predicted increase before."""
    figure = Figure(figsize=(11, 4.8), layout="constrained")
    after, before = figure.subplots(1, 2)
    model, methods = found[0], list(dict.fromkeys(m.assignment.method for m in found[1:]))
    for method in methods:
        points = sorted((m for m in found if m.assignment.method == method), key=lambda m: m.assignment.cost)
        above = [m.above(model) for m in points]
        costs = [m.assignment.cost for m in points]
        style: dict[str, Any] = {"marker": "o", "label": method}
        after.errorbar(costs, [value for value, _ in above], yerr=[error for _, error in above], capsize=3, **style)
        growth = [(m.assignment.predicted, m.assignment.measured) for m in points]
        before.plot([x for x, _ in growth], [y for _, y in growth], linestyle="none", **style)
    after.axhline(0, color="0.5", linewidth=1)
    after.set_xlabel("cost, as a fraction of the model's")
    after.set_ylabel("test loss above the model's, fine-tuned alike")
    before.axline((0, 0), (LINEAR_BELOW, LINEAR_BELOW), color="0.5", linewidth=1)
    before.set_xscale("symlog", linthresh=LINEAR_BELOW)
    before.set_yscale("symlog", linthresh=LINEAR_BELOW)
    before.set_xlabel("predicted growth of the loss, before fine-tuning")
    before.set_ylabel("measured growth")
    for axes, corner in ((after, "upper right"), (before, "upper left")):
        axes.grid(alpha=0.3)
        axes.legend(loc=corner)
    return png(figure)

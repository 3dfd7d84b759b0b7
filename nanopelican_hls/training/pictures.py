"""Plots of training runs (requires matplotlib, extra ``pictures``)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure


def png(figure: Figure) -> bytes:
    """Render a figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()


def training_curves(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Plot loss, AUC and learning rate against epochs, as a PNG file; phases after the float one are shaded.

    Parameters
    ----------
    history : sequence of mapping
        One row per epoch, as in ``metrics.csv``.
    """
    figure = Figure(figsize=(7, 6), layout="constrained")
    losses, aucs, rates = figure.subplots(3, 1, sharex=True, height_ratios=(2, 2, 1))
    epochs = range(1, len(history) + 1)
    losses.plot(epochs, [row["train_loss"] for row in history], label="training")
    losses.plot(epochs, [row["loss"] for row in history], label="validation")
    losses.set_ylabel("cross entropy")
    losses.legend(loc="center right")
    aucs.plot(epochs, [row["auc"] for row in history], color="C1")
    aucs.set_ylabel("validation AUC")
    rates.plot(epochs, [row["learning_rate_factor"] for row in history], color="C2")
    rates.set_ylabel("learning rate\n(of the highest)")
    rates.set_xlabel("epoch")
    for name, shade in (("second_order", "0.96"), ("quantised", "0.92")):
        shaded = [epoch for epoch, row in zip(epochs, history, strict=True) if row["phase"] == name]
        if shaded:
            for axes in (losses, aucs, rates):
                axes.axvspan(shaded[0] - 0.5, shaded[-1] + 0.5, color=shade, zorder=0)
            losses.annotate(name.replace("_", " "), (shaded[0], losses.get_ylim()[1]), va="top", fontsize="small")
    return png(figure)

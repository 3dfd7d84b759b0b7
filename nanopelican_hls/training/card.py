"""The content of a model card, which is JSON: what a model is, how it was made, and how it performs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nanopelican_hls.config import to_mapping
from nanopelican_hls.evaluation.figures import figures_of, quantised_logits
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.evaluation.working_points import PERCENT, threshold_at, working_point
from nanopelican_hls.network.checkpoint import Checkpoint
from nanopelican_hls.network.model import TrainedModel


def logits_of(checkpoint: Checkpoint, sample: Sample) -> dict[str, NDArray[np.float64]]:
    """Logits of the float network on a sample, and of the quantised network if there is one."""
    model = TrainedModel(checkpoint)
    found = {"float": model.float_logits(sample.values)}
    if checkpoint.description is not None:
        found["quantised"] = quantised_logits(model.quantised_network, sample)
    return found


def measure(
    classes: Sequence[str], labels: ArrayLike, logits: Mapping[str, NDArray[np.float64]]
) -> dict[str, dict[str, Any]]:
    """Figures by form, from the labels of a sample and its `logits_of`."""
    return {form: figures_of(classes, labels, found).as_dict() for form, found in logits.items()}


def measure_working_points(
    classes: Sequence[str], labels: Mapping[str, ArrayLike], logits: Mapping[str, Mapping[str, NDArray[np.float64]]]
) -> dict[str, dict[str, float]]:
    """Working points of the quantised network by name, such as ``30%``; none with several classes.

    Thresholds are chosen on the sample ``valid``; the efficiencies are those of ``test``, if there is one.
    """
    if classes or "quantised" not in logits["valid"]:
        return {}
    shown = "test" if "test" in logits else "valid"
    chosen = logits["valid"]["quantised"]
    return {
        f"{percent}%": working_point(
            labels[shown], logits[shown]["quantised"], threshold_at(labels["valid"], chosen, percent / 100)
        ).as_dict()
        for percent in PERCENT
    }


def card_content(
    best: Checkpoint,
    seeds: Sequence[Checkpoint],
    data: Mapping[str, Mapping[str, Any]],
    command: str,
    working_points: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    """The card as plain values.

    Parameters
    ----------
    best : Checkpoint
        The model; its ``metrics`` hold figures by sample.
    seeds : sequence of Checkpoint
        All trained seeds.
    data : mapping
        Name of the file and number of jets of each sample.
    command : str
        The command that made the model.
    working_points : mapping
        As from `measure_working_points`.
    """
    return {
        "name": best.config.name,
        "seed": best.seed,
        "command": command,
        "data": {sample: dict(entry) for sample, entry in data.items()},
        "figures": dict(best.metrics),
        "working_points": {name: dict(point) for name, point in working_points.items()},
        "seeds": [{"seed": c.seed, **c.metrics["valid"]} for c in sorted(seeds, key=lambda c: c.seed)],
        "config": to_mapping(best.config),
    }

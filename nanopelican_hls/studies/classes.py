"""A tagger of several classes beside Deep Sets of the same inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanopelican_hls.analysis.formula import parameter_count
from nanopelican_hls.baselines import BASELINES, create
from nanopelican_hls.errors import NetworkError
from nanopelican_hls.evaluation.figure_text import with_error
from nanopelican_hls.evaluation.figures import float_figures, quantised_figures
from nanopelican_hls.markdown import table
from nanopelican_hls.network.model import TrainedModel
from nanopelican_hls.progress import Bars, silent
from nanopelican_hls.studies.files import SAMPLES, JetFiles
from nanopelican_hls.studies.pages import Page
from nanopelican_hls.studies.runner import best_of, run_tasks
from nanopelican_hls.studies.tasks import BaselineTask

NAME = "deep-sets"
#: of Deep Sets: twice those of the tagger, float and quantised together, for want of a second-order finish
EPOCHS = 120
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Row:
    """A tagger in the table, with the figures of `ClassFigures.as_dict` on the test jets."""

    title: str
    parameters: int
    figures: Mapping[str, Any]


def run_classes(model: TrainedModel, jets: Path, output: Path, *, jobs: int, bars: Bars = silent) -> Page:
    """Train Deep Sets and compare; writes ``classes.md`` and ``classes.json``, and returns the page.

    Parameters
    ----------
    model : TrainedModel
        A tagger of several classes with a quantised network.
    jets : Path
        A file, or a folder with train, valid and test files (`JetFiles.find`), of these classes.
    output : Path
        Also holds the runs, from which an interrupted study resumes.
    jobs : int
        Number of simultaneous training runs.

    Raises
    ------
    NetworkError
        If the model has one logit only.
    JetsError
        If the jets have other classes.
    """
    network = model.config.network
    if not network.classes:
        raise NetworkError(
            "has one logit, but several classes are compared",
            where=model.config.name,
            remedy="choose a model with network.classes, such as models/trigger-n16-5c.pt",
        )
    files = JetFiles.find(jets)
    options = {"constituents": network.n_constituents, "classes": len(network.classes), "of_jet": True}
    tasks = [BaselineTask(NAME, EPOCHS, seed, network.classes, tuple(options.items())) for seed in SEEDS]
    found = run_tasks(tasks, files, output / "runs", jobs=jobs, title="classes", bars=bars)
    (best,) = best_of(found, 1)
    test = files.sample("test", network)
    rows = [
        Row(
            f"{model.config.name}, float",
            parameter_count(model.float_network).nominal,
            float_figures(model.float_network, test).as_dict(),
        ),
        Row(
            f"{model.config.name}, quantised",
            sum(value.size for value in model.description.parameters.values()),
            quantised_figures(model.quantised_network, test).as_dict(),
        ),
        Row(BASELINES[NAME].title, create(NAME, **options).parameter_count, best.figures["test"]["float"]),
    ]
    numbers = {name: len(files.jets(name, network.classes)) for name in SAMPLES}
    text = _page(rows, numbers, network.n_constituents)
    content = {
        "jets": files.described() | {"numbers": numbers},
        "rows": [vars(row) for row in rows],
        "seeds": {str(result.task.seed): result.figures for result in found},
        "chosen": best.task.seed,
    }
    return Page(text, content).write(output, "classes")


def _page(rows: Sequence[Row], numbers: Mapping[str, int], n_constituents: int) -> str:
    names = list(rows[0].figures["classes"])
    head = ["tagger", "parameters", *(f"AUC of {name}" for name in names), "mean", "accuracy"]
    cells = [
        [
            row.title,
            f"{row.parameters:,}",
            *(with_error(row.figures["classes"][name], "auc") for name in names),
            with_error(row.figures, "auc"),
            with_error(row.figures, "accuracy"),
        ]
        for row in rows
    ]
    _, quantised, other = rows
    return (
        "# Several classes\n\n"
        f"{numbers['train']:,} training jets, {numbers['valid']:,} validation jets, {numbers['test']:,} test jets. "
        f"Both taggers see the {n_constituents} leading constituents, the whole jet and its number of constituents. "
        f"Deep Sets: {EPOCHS} epochs, best of {len(SEEDS)} seeds by validation loss. AUC of each class against all "
        "others, with the statistical error of the test jets.\n\n"
        f"{table(head, cells)}\n\n"
        f"{_verdict(quantised, other, names)}\n"
    )


def _verdict(ours: Row, other: Row, names: Sequence[str]) -> str:
    """Which is above for each class; the jets are the same, so independent errors are an upper limit."""
    above: dict[str, list[str]] = {}
    for name in names:
        one, two = (row.figures["classes"][name] for row in (ours, other))
        winner = ours if one["auc"] > two["auc"] else other
        sure = abs(one["auc"] - two["auc"]) > math.hypot(one["auc_error"], two["auc_error"])
        above.setdefault(f"{winner.title} is above" + ("" if sure else ", but within errors"), []).append(name)
    return "In AUC: " + "; ".join(f"{what}: {', '.join(of)}" for what, of in above.items()) + "."

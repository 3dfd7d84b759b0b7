"""Tables 1 and 2 of arXiv:2310.16121, on the user's jets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nanopelican_hls.analysis.formula import parameter_count
from nanopelican_hls.baselines import BASELINES, create
from nanopelican_hls.config import Config, InitialValues, Schedule, recipes
from nanopelican_hls.markdown import table
from nanopelican_hls.network.float_network import FloatNetwork
from nanopelican_hls.progress import Bars, silent
from nanopelican_hls.studies.files import JetFiles
from nanopelican_hls.studies.pages import Page
from nanopelican_hls.studies.runner import Result, best_of, run_tasks
from nanopelican_hls.studies.tables import Measured, is_above, measured
from nanopelican_hls.studies.tasks import BaselineTask, NetworkTask, Task

CHANNELS = (10, 3, 2, 1)
#: baselines of the first table
OTHERS = ("jet-mass-cut", "jet-mass-likelihood", "lorentznet", "topodnn", "deep-sets")
FIGURES = {"accuracy": 4, "auc": 4, "rejection_30": 0, "rejection_50": 0}
#: published accuracy, AUC and background rejection at 30% signal efficiency, on the public top-tagging set
PUBLISHED = {
    "npelican-c10": (0.921, 0.9748, 327),
    "npelican-c3": (0.919, 0.9730, 256),
    "npelican-c2": (0.918, 0.9718, 243),
    "npelican-c1": (0.895, 0.950, 81),
    "npelican-n-c10": (0.923, 0.9764, 448),
    "npelican-n-c3": (0.9214, 0.9752, 384),
    "npelican-n-c2": (0.9200, 0.9745, 368),
    "npelican-n-c1": (0.902, 0.960, 150),
    "lorentznet": (0.907, 0.966, 174),
    "topodnn": (0.929, 0.964, 424),
    "jet-mass-cut": (None, 0.906, None),
}


@dataclass(frozen=True)
class Scale:
    """Size of the study: most jets, seeds, seeds kept, epochs, and matching settings of the recipe."""

    at_most: Mapping[str, int]
    seeds: int
    keep: int
    recipe: Mapping[str, Any]
    baseline_epochs: int
    baseline_seeds: int


FULL = Scale({}, seeds=25, keep=5, recipe={}, baseline_epochs=50, baseline_seeds=5)
#: changes with which a training run with a hundredth of the steps ends near the full one
QUICK_RECIPE = "physical initial values, one cosine from a higher learning rate, no dropout"
QUICK = Scale(
    {"train": 24_000, "valid": 4_000, "test": 16_000},
    seeds=3,
    keep=2,
    recipe={
        "float_epochs": 24,
        "initial_values": InitialValues.PHYSICS,
        "dropout": 0.0,
        "learning_rate": 0.1,
        "schedule": Schedule.COSINE,
        "warmup_epochs": 4,
        "decay_epochs": 0,
    },
    baseline_epochs=24,
    baseline_seeds=3,
)


@dataclass(frozen=True)
class Row:
    """One model in a table."""

    name: str
    title: str
    parameters: int
    figures: Mapping[str, Measured]


def run_paper(jets: Path, output: Path, *, quick: bool, jobs: int, bars: Bars = silent) -> Page:
    """Train everything in both tables; writes ``tables.md`` and ``tables.json``, and returns the tables.

    Parameters
    ----------
    jets : Path
        A file, or a folder with train, valid and test files (`JetFiles.find`).
    output : Path
        Also holds the runs, from which an interrupted study resumes.
    quick : bool
        Fewer epochs, seeds and jets.
    jobs : int
        Number of simultaneous training runs.
    bars : Bars
        How progress is shown.
    """
    scale = QUICK if quick else FULL
    files = JetFiles.find(jets, at_most=scale.at_most)
    tasks = _tasks(scale)
    results = run_tasks(tasks, files, output / "runs", jobs=jobs, title="paper", bars=bars)
    by_name: dict[str, list[Result]] = {}
    for result in results:
        by_name.setdefault(result.task.name, []).append(result)
    rows = {name: _row(name, best_of(found, scale.keep)) for name, found in by_name.items()}
    text = _page(rows, files, scale, quick=quick)
    content = {
        "quick": quick,
        "jets": files.described() | {"numbers": {name: len(files.jets(name)) for name in ("train", "valid", "test")}},
        "seeds": scale.seeds,
        "kept": scale.keep,
        "rows": {name: _plain(row) for name, row in rows.items()},
        "claims": [dict(zip(("claim", "holds"), claim, strict=True)) for claim in _claims(rows)],
    }
    return Page(text, content).write(output, "tables")


def _tasks(scale: Scale) -> list[Task]:
    config = recipes.paper()
    training = replace(config.training, **scale.recipe)
    tasks: list[Task] = []
    for seed in training.seeds[: scale.seeds]:
        for channels in CHANNELS:
            for scaling in (False, True):
                network = replace(config.network, channels=channels, multiplicity_scaling=scaling)
                name = f"npelican{'-n' * scaling}-c{channels}"
                tasks.append(NetworkTask(Config(name, network, config.quantisers, training, config.firmware), seed))
    for name in OTHERS:
        seeds = range(1, scale.baseline_seeds + 1) if create(name).trainable else (1,)
        tasks += [BaselineTask(name, scale.baseline_epochs, seed) for seed in seeds]
    return tasks


def _row(name: str, results: Sequence[Result]) -> Row:
    task = results[0].task
    if isinstance(task, NetworkTask):
        network = task.config.network
        parameters = parameter_count(FloatNetwork(network, nbar=task.config.training.nbar, seed=0)).nominal
        title = f"nPELICAN{'_N' * network.multiplicity_scaling}, C = {network.channels}"
    else:
        parameters, title = create(name).parameter_count, BASELINES[name].title
    return Row(name, title, parameters, {figure: measured(results, figure) for figure in FIGURES})


def _page(rows: Mapping[str, Row], files: JetFiles, scale: Scale, *, quick: bool) -> str:
    tables = {
        "Table 1": [f"npelican-c{c}" for c in CHANNELS] + list(OTHERS),
        "Table 2": [f"npelican-n-c{c}" for c in CHANNELS],
    }
    parts = [f"# Tables 1 and 2 of arXiv:2310.16121\n\n{_caption(files, scale, quick=quick)}"]
    head = ["model", "parameters", "accuracy", "AUC", "rejection at 30%", "rejection at 50%"]
    head += ["published accuracy", "AUC", "rejection at 30%"]
    for title, names in tables.items():
        lines = [_cells(rows[name]) for name in names if name in rows]
        parts.append(f"## {title}\n\n{table(head, lines)}")
    parts.append("## What the paper says, and these jets\n\n" + table(["claim (in AUC)", "holds"], _claims(rows)))
    return "\n\n".join(parts) + "\n"


def _caption(files: JetFiles, scale: Scale, *, quick: bool) -> str:
    numbers = ", ".join(f"{len(files.jets(name)):,} {what} jets" for name, what in _USES.items())
    seeds, of_baselines = (f"best {scale.keep} of {n} seeds" for n in (scale.seeds, scale.baseline_seeds))
    epochs = recipes.paper().training.float_epochs
    epochs = scale.recipe.get("float_epochs", epochs)
    return (
        f"{f'Quick run, not the full recipe ({QUICK_RECIPE}): ' if quick else ''}{numbers}; nPELICAN: {epochs} epochs, "
        f"{seeds} by validation loss; baselines: {scale.baseline_epochs} epochs, {of_baselines}. Mean ± standard "
        "deviation over the seeds kept; statistical errors of the test jets are in tables.json. The published figures "
        "are for the public top-tagging set."
    )


_USES = {"train": "training", "valid": "validation", "test": "test"}


def _cells(row: Row) -> list[str]:
    accuracy, auc, rejection = PUBLISHED.get(row.name, (None, None, None))
    published = ["" if value is None else str(value) for value in (accuracy, auc, rejection)]
    figures = [row.figures[figure].text(digits) for figure, digits in FIGURES.items()]
    return [row.title, f"{row.parameters:,}", *figures, *published]


def _claims(rows: Mapping[str, Row]) -> list[tuple[str, str]]:
    """The orderings in AUC claimed by the paper, and whether they hold here."""

    def claim(better: str, worse: str) -> tuple[str, str]:
        one, other = rows[better], rows[worse]
        return f"{one.title} is above {other.title}", is_above(one.figures["auc"], other.figures["auc"])

    pairs = [(f"npelican-c{a}", f"npelican-c{b}") for a, b in ((10, 3), (10, 2), (3, 1), (2, 1))]
    pairs += [(f"npelican-n-c{c}", f"npelican-c{c}") for c in CHANNELS]
    pairs += [(f"npelican-c{c}", "jet-mass-likelihood") for c in CHANNELS if c > 1]
    pairs += [("npelican-c10", "lorentznet")]
    return [claim(*pair) for pair in pairs if set(pair) <= set(rows)]


def _plain(row: Row) -> dict[str, Any]:
    figures = {name: vars(figure) for name, figure in row.figures.items()}
    return {"title": row.title, "parameters": row.parameters, "figures": figures}

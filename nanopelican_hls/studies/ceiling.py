"""What taggers without hardware in mind reach from the same inputs, in floating point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nanopelican_hls.baselines import BASELINES, create
from nanopelican_hls.evaluation.figure_text import with_error
from nanopelican_hls.markdown import table
from nanopelican_hls.progress import Bars, silent
from nanopelican_hls.studies.files import SAMPLES, JetFiles
from nanopelican_hls.studies.pages import Page
from nanopelican_hls.studies.runner import Result, best_of, run_tasks
from nanopelican_hls.studies.tasks import BaselineTask

NAMES = ("deep-sets", "transformer")
SIZES = (8, 16)
EPOCHS = 20
SEEDS = (1, 2)
#: columns of the table, with the title of each
FIGURES = {"auc": "AUC", "rejection_30": "rejection at 30%", "rejection_50": "at 50%"}


def run_ceiling(jets: Path, output: Path, *, jobs: int, bars: Bars = silent) -> Page:
    """Train on all jets; writes ``ceiling.md`` and ``ceiling.json``, and returns the page.

    Parameters
    ----------
    jets : Path
        A file, or a folder with train, valid and test files (`JetFiles.find`).
    output : Path
        Also holds the runs, from which an interrupted study resumes.
    jobs : int
        Number of simultaneous training runs.
    bars : Bars
        How progress is shown.

    Raises
    ------
    JetsError
        If the jets cannot be read, or lack a class.
    """
    files = JetFiles.find(jets)
    found = {n: _trained(n, files, output / "runs" / f"n{n}", jobs, bars) for n in SIZES}
    numbers = {name: len(files.jets(name)) for name in SAMPLES}
    text = _page(found, numbers)
    content = {
        "jets": files.described() | {"numbers": numbers},
        "results": {f"n{n}": [_plain(result) for result in results] for n, results in found.items()},
    }
    return Page(text, content).write(output, "ceiling")


def _options(n: int) -> dict[str, Any]:
    return {"constituents": n, "of_jet": True}


def _trained(n: int, files: JetFiles, runs: Path, jobs: int, bars: Bars) -> list[Result]:
    tasks = [BaselineTask(name, EPOCHS, seed, options=tuple(_options(n).items())) for name in NAMES for seed in SEEDS]
    return run_tasks(tasks, files, runs, jobs=jobs, title=f"ceiling, N = {n}", bars=bars)


def _page(found: Mapping[int, Sequence[Result]], numbers: Mapping[str, int]) -> str:
    rows = []
    for n, results in found.items():
        for name in NAMES:
            (best,) = best_of([result for result in results if result.task.name == name], 1)
            count = create(name, **_options(n)).parameter_count
            figures = [with_error(best.figures["test"]["float"], figure) for figure in FIGURES]
            rows.append([BASELINES[name].title, n, f"{count:,}", *figures])
    return (
        "# What the inputs hold\n\n"
        f"{numbers['train']:,} training jets, {numbers['valid']:,} validation jets, {numbers['test']:,} test jets. "
        "Floating point; each sees the N leading constituents, and pT, mass and number of constituents of the whole "
        f"jet. {EPOCHS} epochs, best of {len(SEEDS)} seeds by validation loss, with the statistical error of the test "
        f"jets.\n\n{table(['tagger', 'N', 'parameters', *FIGURES.values()], rows)}\n"
    )


def _plain(result: Result) -> dict[str, Any]:
    return {"name": result.task.name, "seed": result.task.seed, "figures": result.figures}

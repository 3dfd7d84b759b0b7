"""Runs a list of training tasks on all cores; finished tasks are never repeated."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nanopelican_hls.errors import NetworkError, TrainingError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.network.checkpoint import require_equal
from nanopelican_hls.progress import Bars, Progress, part_of, silent
from nanopelican_hls.studies.files import JetFiles
from nanopelican_hls.studies.tasks import FiguresByForm, Task
from nanopelican_hls.training.run_folder import RunFolder
from nanopelican_hls.training.seeds import deciding_loss
from nanopelican_hls.training.side_by_side import side_by_side

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """The result of one training run."""

    task: Task
    figures: FiguresByForm

    @property
    def loss(self) -> float:
        """Validation loss of the last network, by which seeds are chosen."""
        return deciding_loss(self.figures["valid"])


def run_tasks(
    tasks: Sequence[Task], files: JetFiles, runs: Path, *, jobs: int, title: str, bars: Bars = silent
) -> list[Result]:
    """Train and measure all tasks, ``jobs`` at a time, longest first; shows progress and the time left.

    An interrupted run resumes where it stopped, and a finished one is read from its folder
    (``<runs>/<name>/seed<seed>/result.json``). Tasks that diverge are logged and left out.

    Raises
    ------
    NetworkError
        If a folder holds a run of another configuration or with other jets; the message names the field. Finished runs
        are checked before anything is trained.
    """
    kept = ((task, _finished(task, files, runs)) for task in tasks)
    found = {task: result for task, result in kept if result is not None}
    with bars(title, sum(task.cost for task in tasks), "") as bar:
        bar.skip(sum(task.cost for task in found))
        longest_first = sorted((task for task in tasks if task not in found), key=lambda task: -task.cost)
        for place, result in side_by_side(_run, [(task, files, runs) for task in longest_first], jobs, bar):
            task = longest_first[place]
            if isinstance(result, TrainingError):
                logger.warning("%s seed %d is left out: %s", task.name, task.seed, result)
            else:
                found[task] = result
            bar.note(f"{len(found)} of {len(tasks)} trainings")
    return [found[task] for task in tasks if task in found]


def best_of(results: Sequence[Result], keep: int) -> list[Result]:
    """The results with the lowest validation loss, best first."""
    return sorted(results, key=lambda result: result.loss)[:keep]


def default_jobs() -> int:
    """One training run per core; one on a GPU."""
    return 1 if torch.cuda.is_available() else len(os.sched_getaffinity(0))


def _finished(task: Task, files: JetFiles, runs: Path) -> Result | None:
    """Result of an earlier call of the study; rejected if its task or jets differ."""
    path = _result_file(task, runs)
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    header = _header(task, files)
    require_equal(header, {key: content[key] for key in header}, str(path))
    return Result(task, content["figures"])


def _run(task: Task, files: JetFiles, runs: Path, progress: Progress) -> Result | TrainingError:
    folder = _folder(task, runs)
    with folder.held("--output"), part_of(progress, task.cost, task.epochs) as part:
        try:
            figures = task.train(files, folder, progress=part)
        except TrainingError as error:
            return error
        content = json.dumps({**_header(task, files), "figures": figures}, indent=2)
        write_atomically(_result_file(task, runs), content + "\n", NetworkError)
    return Result(task, figures)


def _header(task: Task, files: JetFiles) -> dict[str, Any]:
    return {"task": task.described(), "jets": files.described()}


def _result_file(task: Task, runs: Path) -> Path:
    return _folder(task, runs).path / "result.json"


def _folder(task: Task, runs: Path) -> RunFolder:
    return RunFolder(runs / task.name / f"seed{task.seed}")

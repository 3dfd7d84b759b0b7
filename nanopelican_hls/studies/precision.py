"""Comparison of mixed precision: every choice of widths is fine-tuned alike and measured (docs/precision.md)."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nanopelican_hls.config import Config, to_mapping
from nanopelican_hls.errors import NetworkError, TrainingError
from nanopelican_hls.evaluation.metrics import figures
from nanopelican_hls.extras import require
from nanopelican_hls.files import write_atomically
from nanopelican_hls.markdown import table
from nanopelican_hls.network.checkpoint import Checkpoint, require_equal
from nanopelican_hls.network.inference import in_chunks
from nanopelican_hls.network.model import TrainedModel
from nanopelican_hls.precision.methods import METHODS, Assigner, Assignment
from nanopelican_hls.precision.sensitivity import require_one_logit
from nanopelican_hls.precision.widths import own_widths, with_widths
from nanopelican_hls.progress import Bars, Progress, silent
from nanopelican_hls.studies.files import SAMPLES, JetFiles
from nanopelican_hls.studies.measurement import Measurement
from nanopelican_hls.studies.pages import Page
from nanopelican_hls.studies.runner import Result, run_tasks
from nanopelican_hls.studies.tables import measured
from nanopelican_hls.studies.tasks import FiguresByForm, Task
from nanopelican_hls.training.run_folder import RunFolder
from nanopelican_hls.training.seed_training import CALIBRATION_JETS, SeedTraining

AT_MOST = {"train": 24_000, "valid": 4_000, "test": 16_000}
#: number of standard deviations from which one method is called better
CLEARLY = 2.0


@dataclass(frozen=True)
class FineTuning(Task):
    """The quantised phase of training, starting from a trained model with other widths."""

    config: Config
    seed: int
    base: Checkpoint

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.config.name

    @property
    def epochs(self) -> int:  # type: ignore[override]
        return self.config.training.quantised_epochs

    @property
    def cost(self) -> float:
        return float(self.epochs)

    def described(self) -> dict[str, Any]:
        return {"seed": self.seed, "config": to_mapping(self.config), "base": self.base.fingerprint}

    def train(self, files: JetFiles, folder: RunFolder, *, progress: Progress) -> FiguresByForm:
        """Fine-tune and measure; the loss of every test jet is kept as ``test_losses.npy``."""
        train, valid, test = (files.sample(name, self.config.network) for name in ("train", "valid", "test"))
        training = SeedTraining(self.config, self.seed, train, valid, folder=folder, progress=progress, base=self.base)
        checkpoint = training.run()
        net = TrainedModel(checkpoint).quantised_network
        logits = in_chunks(lambda x: {"logits": net(x)}, test.values)["logits"].numpy()
        losses = io.BytesIO()
        np.save(losses, np.logaddexp(0, logits) - test.labels * logits)
        write_atomically(folder.path / "test_losses.npy", losses.getvalue(), NetworkError)
        return {**checkpoint.metrics, "test": {"quantised": figures(test.labels, logits).as_dict()}}


def run_precision(
    model: TrainedModel,
    jets: Path,
    output: Path,
    *,
    budgets: Sequence[float],
    cost: str,
    epochs: int,
    seeds: Sequence[int],
    jobs: int,
    at_most: Mapping[str, int] = AT_MOST,
    bars: Bars = silent,
) -> Page:
    """Choose widths by every method under every budget, fine-tune and measure.

    Writes ``precision.md``, ``precision.json``, ``precision.png``, and one run folder per fine-tuning run. Results of
    an earlier, interrupted call are reused.

    Parameters
    ----------
    model : TrainedModel
        A model with a quantised network.
    jets, output : Path
        A folder with train, valid and test files, or one file; the folder of the results.
    budgets : sequence of float
        Fractions of the cost of the model's own widths.
    cost : str
        A key of `COSTS`.
    epochs, seeds, jobs
        Epochs and seeds of fine-tuning, and the number of simultaneous runs.
    at_most : mapping of str to int
        Most jets used of each sample.
    bars : Bars
        How progress is shown.

    Raises
    ------
    NetworkError
        If the model has several classes, or the folder holds results for another model, other jets or another cost; the
        message names the field.
    ConfigError
        If no widths are within a budget.
    TrainingError
        If a fine-tuning run diverges.
    """
    require_one_logit(model.config.network)
    require("matplotlib", "the picture of losses", NetworkError)  # before hours of training
    files = JetFiles.find(jets, at_most=at_most)
    output.mkdir(parents=True, exist_ok=True)
    assignments = _assignments(model, files, output, sorted(budgets, reverse=True), cost, bars)
    recipe = replace(model.config.training, quantised_epochs=epochs, seeds=tuple(seeds))
    tasks = [_task(model, assignment, recipe, seed) for assignment in assignments for seed in seeds]
    results = run_tasks(tasks, files, output / "runs", jobs=jobs, title="fine-tuning", bars=bars)
    found = [_measurement(a, results, seeds, output / "runs") for a in assignments]
    numbers = {name: len(files.jets(name)) for name in SAMPLES}
    text = _page(found, own_widths(model.config), cost, numbers, epochs, seeds)
    content = {"cost": cost, "epochs": epochs, "jets": numbers, "results": [_plain(m, found[0]) for m in found]}
    _draw(found, output)
    return Page(text, content).write(output, "precision")


def _assignments(
    model: TrainedModel, files: JetFiles, output: Path, budgets: Sequence[float], cost: str, bars: Bars
) -> list[Assignment]:
    """All assignments; each is saved to ``assignments.json`` as soon as it is found."""
    path = output / "assignments.json"
    header = {"model": model.checkpoint.fingerprint, "cost": cost, "jets": files.described()}
    found: dict[str, Assignment] = {}
    if path.exists():
        content = json.loads(path.read_text(encoding="utf-8"))
        require_equal(header, {key: content.get(key) for key in header}, str(path))
        found = {a["method"] + f"-{a['budget']:g}": Assignment(**a) for a in content["assignments"]}
    wanted = {method: [1.0] if method == "model" else list(budgets) for method in METHODS}
    assigner = None
    for method, of_method in wanted.items():
        missing = [budget for budget in of_method if f"{method}-{budget:g}" not in found]
        if not missing:
            continue
        if assigner is None:
            sample = files.sample("train", model.config.network).head(CALIBRATION_JETS)
            assigner = Assigner(model, sample, cost, bars)
        for assignment in assigner.assignments(method, missing):
            found[assignment.name] = assignment
            plain = {**header, "assignments": [asdict(a) for a in found.values()]}
            write_atomically(path, json.dumps(plain, indent=1) + "\n", NetworkError)
    return [found[f"{method}-{budget:g}"] for method, of_method in wanted.items() for budget in of_method]


def _task(model: TrainedModel, assignment: Assignment, recipe: Any, seed: int) -> FineTuning:
    config = replace(with_widths(model.config, assignment.widths, assignment.name), training=recipe)
    base = replace(model.checkpoint, description=assignment.applied_to(model.description))
    return FineTuning(config, seed, base)


def _measurement(assignment: Assignment, every: Sequence[Result], seeds: Sequence[int], runs: Path) -> Measurement:
    """Collect the fine-tuning runs of all seeds.

    Raises
    ------
    TrainingError
        If a seed diverged: choices would then be compared over different seeds.
    """
    results = [result for result in every if result.task.name == assignment.name]
    if len(results) < len(seeds):
        raise TrainingError(
            "a seed diverged, and without it choices cannot be compared",
            where=assignment.name,
            remedy="lower training.quantised_learning_rate, or use other seeds",
        )
    losses = [np.load(runs / r.task.name / f"seed{r.task.seed}" / "test_losses.npy") for r in results]
    return Measurement(assignment, results, np.array(losses))


def _plain(m: Measurement, model: Measurement) -> dict[str, Any]:
    seeds = {result.task.seed: result.figures for result in m.results}
    return asdict(m.assignment) | {"seeds": seeds, "test_loss_above_model": m.above(model)}


def _draw(found: Sequence[Measurement], output: Path) -> None:
    from nanopelican_hls.studies.precision_picture import loss_against_cost

    write_atomically(output / "precision.png", loss_against_cost(found), NetworkError)


def _page(
    found: Sequence[Measurement],
    own: Mapping[str, int],
    cost: str,
    jets: Mapping[str, int],
    epochs: int,
    seeds: Sequence[int],
) -> str:
    unit = "bits held" if cost == "bits" else "full adders, an estimate"
    caption = (
        f"Cost in {unit}, as a fraction of the model's. {jets['train']:,} training jets, {jets['valid']:,} to choose "
        f"epochs by, {jets['test']:,} test jets; {epochs} epochs of fine-tuning; seeds {', '.join(map(str, seeds))}. "
        f"Losses in units of 0.001, above those of the model: before fine-tuning on {CALIBRATION_JETS:,} training jets "
        "predicted and measured, and measured with the scales adjusted; afterwards on the test jets, above the model "
        "fine-tuned in the same way."
    )
    head = ["widths", "budget", "cost", "predicted", "measured", "adjusted", "fine-tuned", "validation loss", "AUC"]
    widths = [[name, bits, *(m.assignment.widths[name] for m in found[1:])] for name, bits in own.items()]
    names = [m.assignment.name for m in found[1:]]
    parts = [caption, table(head, [_row(m, found[0]) for m in found]), *_verdicts(found)]
    return "\n\n".join([*parts, table(["tensor", "model", *names], widths)]) + "\n"


def _row(m: Measurement, model: Measurement) -> list[str]:
    a, (above, error) = m.assignment, m.above(model)
    before = [f"{1e3 * value:.2f}" for value in (a.predicted, a.measured, a.adjusted)]
    loss, auc = (
        measured(m.results, figure, sample=sample, form="quantised")
        for figure, sample in (("loss", "valid"), ("auc", "test"))
    )
    after = f"{1e3 * above:.2f} ± {1e3 * error:.2f}" if m is not model else "0"
    return [a.method, f"{a.budget:g}", f"{a.cost:.3f}", *before, after, loss.text(4), auc.text(4)]


def _verdicts(found: Sequence[Measurement]) -> list[str]:
    """For each budget, the method with the lowest test loss, and the excess of the others."""
    lines = []
    for budget in sorted({m.assignment.budget for m in found[1:]}, reverse=True):
        rivals = sorted((m for m in found[1:] if m.assignment.budget == budget), key=lambda m: float(m.losses.mean()))
        best = rivals[0]
        others = []
        for rival in rivals[1:]:
            above, error = rival.above(best)
            clearly = "" if above > CLEARLY * error else ", within errors"
            others.append(f"{rival.assignment.method} is {1e3 * above:.2f} ± {1e3 * error:.2f} above{clearly}")
        lines.append(
            f"Budget {budget:g}: the lowest test loss is that of {best.assignment.method}; {'; '.join(others)}."
        )
    return lines

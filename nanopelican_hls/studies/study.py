"""Common part of all studies: tasks in, results by configuration out, a page and a file of numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from nanopelican_hls.config import Config
from nanopelican_hls.config.recipes import recommended
from nanopelican_hls.config.training import TrainingConfig
from nanopelican_hls.errors import NetworkError
from nanopelican_hls.extras import require
from nanopelican_hls.files import write_atomically
from nanopelican_hls.progress import Bars, silent
from nanopelican_hls.studies.files import SAMPLES, JetFiles
from nanopelican_hls.studies.pages import Page
from nanopelican_hls.studies.runner import Result, run_tasks
from nanopelican_hls.studies.tasks import NetworkTask
from nanopelican_hls.topology.config import NetworkConfig, QuantisersConfig, Spurions

Results = Mapping[Config, Sequence[Result]]


class Study(ABC):
    """A set of configurations, and the page and plots made from their results.

    Attributes
    ----------
    name : str
        Name on the command line, and of its folder.
    at_most : mapping of str to int
        Most jets used of each sample.
    """

    name: ClassVar[str]
    at_most: ClassVar[Mapping[str, int]] = {"train": 12_000, "valid": 4_000, "test": 16_000}

    @abstractmethod
    def configs(self) -> list[Config]:
        """All configurations, each with a unique name and its seeds."""

    def task(self, config: Config, seed: int) -> NetworkTask:
        """The training of one seed of a configuration."""
        return NetworkTask(config, seed)

    @abstractmethod
    def page(self, results: Results) -> str:
        """Tables in Markdown, from the results of each configuration over its seeds."""

    @abstractmethod
    def pictures(self, results: Results) -> Mapping[str, bytes]:
        """PNG files by name."""

    def run(self, jets: Path, output: Path, jobs: int, bars: Bars = silent) -> Page:
        """Train whatever is not yet trained; writes ``<name>.md``, ``<name>.json`` and plots, and returns the page."""
        require("matplotlib", "a study", NetworkError)  # before hours of training
        files = JetFiles.find(jets, at_most=self.at_most)
        tasks = [self.task(config, seed) for config in self.configs() for seed in config.training.seeds]
        found = run_tasks(tasks, files, output / "runs", jobs=jobs, title=self.name, bars=bars)
        results = {config: [r for r in found if r.task.name == config.name] for config in self.configs()}
        results = {config: of_seeds for config, of_seeds in results.items() if of_seeds}
        numbers = {name: len(files.jets(name)) for name in SAMPLES}
        text = f"{self._caption(tasks, numbers)}\n\n{self.page(results)}\n"
        for name, picture in self.pictures(results).items():
            write_atomically(output / name, picture, NetworkError)
        content = {
            "jets": numbers,
            "results": {config.name: [_plain(r) for r in found] for config, found in results.items()},
        }
        return Page(text, content).write(output, self.name)

    @staticmethod
    def _caption(tasks: Sequence[NetworkTask], numbers: Mapping[str, int]) -> str:
        epochs = " or ".join(sorted({_recipe(task.config.training) for task in tasks}))
        jets = (
            f"{numbers['train']:,} training jets, {numbers['valid']:,} validation jets, {numbers['test']:,} test jets"
        )
        return f"{len(tasks)} trainings; {jets}; {epochs}."


def _recipe(training: TrainingConfig) -> str:
    """The lengths of the phases, for a caption."""
    steps, quantised = training.second_order_steps, training.quantised_epochs
    finish = f", up to {steps} steps of L-BFGS" if steps else ""
    return f"{training.float_epochs} float epochs{finish}" + (f" and {quantised} quantised epochs" if quantised else "")


def named(config: Config, name: str, **changes: Any) -> Config:
    """A configuration under another name, with some sections replaced."""
    return replace(config, name=name, **changes)


def unused_quantisers(network: NetworkConfig) -> QuantisersConfig:
    """Those that a network must have, although none is used in floating point."""
    base = recommended().quantisers
    bare = replace(base, rest_momenta=None, d_rest=None, d_rr=None, tensors=None)
    if network.spurions is Spurions.JET:
        return replace(bare, jet_momenta=base.rest_momenta)
    return replace(bare, rest_momenta=base.rest_momenta) if network.spurions is Spurions.REST else bare


def _plain(result: Result) -> dict[str, Any]:
    return {"seed": result.task.seed, "figures": result.figures}

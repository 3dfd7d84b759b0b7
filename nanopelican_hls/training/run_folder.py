"""One folder per training run: configuration, versions, figures of every epoch, curves, checkpoints."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from nanopelican_hls.config import Config, to_mapping
from nanopelican_hls.errors import NetworkError
from nanopelican_hls.extras import install, is_installed, require
from nanopelican_hls.files import make_folder, one_at_a_time, write_atomically
from nanopelican_hls.network.checkpoint import Checkpoint, load_mapping, save_atomically, save_checkpoint
from nanopelican_hls.versions import versions

logger = logging.getLogger(__name__)

#: packages whose versions affect the result
PACKAGES = ("torch", "numpy", "brevitas")
#: columns of metrics.csv after phase and epoch
CURVES = ("learning_rate_factor", "train_loss", "loss", "auc", "accuracy", "rejection_30", "rejection_50")


class RunFolder:
    """The files of a run.

    ============== ======================================================================
    config.yaml    the resolved configuration, defaults included
    run.json       seed, versions, fingerprints of the jets
    metrics.csv    one row per epoch or step: learning rate, training loss, validation figures
    curves.png     loss and AUC against epochs (requires the extra ``pictures``)
    last.pt        the state after the last epoch or step, from which a killed run resumes exactly
    best.pt        the checkpoint of the finished run: the best epoch
    ============== ======================================================================

    Every file is replaced atomically, and ``last.pt`` holds the data of all others.
    """

    def __init__(self, path: Path, *, tensorboard: bool = False) -> None:
        self.path = path
        self._tensorboard = tensorboard

    @property
    def last(self) -> Path:
        return self.path / "last.pt"

    @property
    def best(self) -> Path:
        return self.path / "best.pt"

    @contextlib.contextmanager
    def held(self, option: str) -> Iterator[None]:
        """Keep other runs out of the folder, which is created if needed; they raise `NetworkError`.

        ``option`` is that of the command line which names the folder above it.
        """
        make_folder(self.path, NetworkError, option)
        with one_at_a_time(self.path, NetworkError, option):
            yield

    def begin(self, config: Config, header: Mapping[str, Any]) -> dict[str, Any]:
        """Write what is known before training; returns the state of an earlier, interrupted run, if any."""
        self.path.mkdir(parents=True, exist_ok=True)
        if self.last.exists():
            return load_mapping(self.last)
        content = {key: value for key, value in to_mapping(config).items() if key != "name"}
        self._write("config.yaml", yaml.safe_dump(content, sort_keys=False))
        run = {key: value for key, value in header.items() if key != "config"}
        self._write(
            "run.json", json.dumps({"name": config.name, **run, "versions": versions(PACKAGES)}, indent=2) + "\n"
        )
        return {}

    def save(self, state: Mapping[str, Any]) -> None:
        """Write the state after an epoch, whose ``history`` is a list of rows."""
        save_atomically(state, self.last)
        self._write_metrics(state["history"])
        if self._tensorboard:
            self._write_events(state["history"])

    def finish(self, checkpoint: Checkpoint, history: Sequence[Mapping[str, Any]]) -> None:
        self._write_metrics(history)
        self._draw(history)
        save_checkpoint(checkpoint, self.best)

    def _write(self, name: str, content: str) -> None:
        write_atomically(self.path / name, content, NetworkError)

    def _write_metrics(self, history: Sequence[Mapping[str, Any]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, ["phase", "epoch", *CURVES], extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
        self._write("metrics.csv", text.getvalue())

    def _write_events(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Write the newest row for TensorBoard, purging any later epochs it shows after an interruption."""
        require("tensorboard", "--tensorboard", NetworkError)
        from torch.utils.tensorboard import SummaryWriter

        step = len(history)
        with SummaryWriter(str(self.path / "tensorboard"), purge_step=step) as writer:
            for name in (name for name in CURVES if name in history[-1]):
                writer.add_scalar(name, history[-1][name], step)

    def _draw(self, history: Sequence[Mapping[str, Any]]) -> None:
        if not is_installed("matplotlib"):
            logger.info("%s: no curves.png; for one: %s", self.path, install("matplotlib"))
            return
        from nanopelican_hls.training.pictures import training_curves

        write_atomically(self.path / "curves.png", training_curves(history), NetworkError)

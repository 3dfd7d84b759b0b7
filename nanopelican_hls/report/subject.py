"""What a report is about: a trained model, its files, what earlier commands left in its build folder, and jets."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.config import Config
from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import JetsError, ReportError
from nanopelican_hls.evaluation.metrics import LEAST_JETS, class_names
from nanopelican_hls.jets import Jets, port_values
from nanopelican_hls.network.model import TrainedModel
from nanopelican_hls.proof.comparison import to_integers
from nanopelican_hls.report.content import Missing
from nanopelican_hls.report.tensors import Observed, observe

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Subject:
    """A model, with everything that the sections of its report are made from.

    Attributes
    ----------
    source : what the user gave as configuration.
    command : that makes this report.
    model, program : from the checkpoint and the QONNX file.
    files : of the model: configuration, checkpoint, QONNX file, card; by what they are.
    build : its build folder, with what `nanopelican csim` and `nanopelican synth` have left there.
    models_option : where a command finds the model.
    build_option : the build folder, as a command takes it.
    jets : to measure on.
    jets_path : their file.
    jets_option : how a command reads them.
    is_sample : whether they are the shipped sample.
    benchmarks : folder with ``ring.json`` and ``rivals.json``.
    """

    source: str
    command: str
    model: TrainedModel
    program: Program
    files: Mapping[str, Path]
    build: Path
    models_option: str
    build_option: str
    jets: Jets
    jets_path: Path
    jets_option: str
    is_sample: bool
    benchmarks: Path

    @property
    def config(self) -> Config:
        return self.model.config

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def classes(self) -> tuple[str, ...]:
        return self.config.network.classes

    def calls(self, command: str, *more: str) -> str:
        """A command of this package on this model, as the user would type it."""
        return " ".join(["nanopelican", command, shlex.quote(self.source), *filter(None, more)])

    @property
    def csim_command(self) -> str:
        return self.calls("csim", self.models_option, self.build_option, self.jets_option)

    @property
    def synth_command(self) -> str:
        return self.calls("synth", self.models_option, self.build_option, self.jets_option)

    def on_file(self, command: str, what: str, *more: str) -> str:
        """A command that takes a file of the model, or its name in the zoo."""
        source = self.name if self.source == self.name else str(self.files[what])
        return " ".join(["nanopelican", command, shlex.quote(source), *filter(None, more)])

    @property
    def check_command(self) -> str:
        return self.on_file("check", "QONNX file")

    @cached_property
    def card(self) -> Mapping[str, Any] | None:
        return _json(self.files["card"])

    @cached_property
    def csim(self) -> Mapping[str, Any] | None:
        """``csim.json``, or None."""
        return _json(self.build / "csim.json")

    @cached_property
    def synth(self) -> Mapping[str, Any] | None:
        """``synth.json``, or None."""
        return _json(self.build / "synth.json")

    @cached_property
    def pieces(self) -> Mapping[str, Any] | None:
        """``pieces.json`` of the open flow, or None."""
        return _json(self.build / "rtl" / "map" / "pieces.json")

    @property
    def csim_source(self) -> str:
        """The command that wrote ``csim.json``, or would."""
        return (self.csim or {}).get("command") or self.csim_command

    @property
    def synth_source(self) -> str:
        """The command that wrote ``synth.json``, or would."""
        return (self.synth or {}).get("command") or self.synth_command

    def is_stale(self, found: Mapping[str, Any]) -> bool:
        """Whether a file of the build folder is of another QONNX graph than the present one."""
        checksum = self.program.checksum
        return bool(found.get("program_sha256", checksum) != checksum)

    @cached_property
    def ports(self) -> Mapping[str, Floats]:
        return port_values(self.jets, self.config.network)

    @cached_property
    def labels(self) -> NDArray[np.int8] | None:
        """Labels of the jets, if every class of the network is there; otherwise None."""
        try:
            labels = self.jets.labels_of(self.classes, str(self.jets_path))
        except JetsError:
            return None
        if labels is None:
            return None
        counts = [np.count_nonzero(labels == label) for label in class_names(self.classes)]
        return labels if min(counts) >= LEAST_JETS else None

    @property
    def without_labels(self) -> Missing:
        """What a section says that needs `labels`."""
        wanted = f"of the classes {', '.join(self.classes)}" if self.classes else "of signal and background"
        command = self.command.split(" --jets")[0]
        return Missing(f"Not measured: {self.jets_path.name} does not have jets {wanted}", f"{command} --jets FILE")

    @cached_property
    def observed(self) -> Observed:
        """The tensors of QONNX execution on the jets, which are those of the firmware."""
        return observe(self.program, self.ports, self.logit_tensors)

    @property
    def logit_tensors(self) -> list[str]:
        """Logits, which need not be outputs: a score, or the decision, may go out in their place."""
        return [f"logit_{name}" for name in self.classes] or ["logit"]

    def integers_of(self, tensor: str) -> NDArray[np.int64]:
        """The firmware's integers [n] of an output or a logit on the jets."""
        found, _ = to_integers(self.observed.values[tensor], self.program.exponent(tensor))
        return found.reshape(len(found), -1)[:, 0]

    @cached_property
    def integers(self) -> NDArray[np.int64]:
        """The firmware's logits on the jets, as integers: [n], or [n, K] of K classes."""
        columns = [self.integers_of(tensor) for tensor in self.logit_tensors]
        return np.stack(columns, axis=1) if self.classes else columns[0]

    @property
    def logits(self) -> Floats:
        """The same as real numbers."""
        steps = np.array([2.0 ** self.program.exponent(tensor) for tensor in self.logit_tensors])
        found: Floats = self.integers * (steps if self.classes else steps[0])
        return found

    @cached_property
    def float_logits(self) -> Floats:
        return self.model.float_logits(self.ports)

    @property
    def said_of_jets(self) -> str:
        """The jets, in words."""
        what = (
            "of the shipped sample, none of which the networks in models/ have seen"
            if self.is_sample
            else (f"of {self.jets_path.name}")
        )
        return f"{len(self.jets):,} jets {what}"


def _json(path: Path) -> Mapping[str, Any] | None:
    """The content of a file, or None if there is none."""
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ReportError(
            f"is not JSON ({error})", where=str(path), remedy="remove it, and run the command that writes it again"
        ) from error
    if not isinstance(content, dict):
        raise ReportError(
            "is not a JSON object", where=str(path), remedy="remove it, and run the command that writes it again"
        )
    return content

"""The search for findings in one target, and the targets."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from hypothesis import HealthCheck, Phase, given, seed, settings

from . import checkpoints, common_struct, hdf5_files, onnx_files, root_files, yaml_files
from .sandbox import Outcome, Sandbox

TARGETS: Mapping[str, ModuleType] = {
    "onnx": onnx_files,
    "hdf5": hdf5_files,
    "root": root_files,
    "yaml": yaml_files,
    "checkpoints": checkpoints,
    "common-struct": common_struct,
}
#: cases of a round; a round that was begun anew draws the same
ROUND = 100


class FoundError(Exception):
    """A finding, for Hypothesis, which then looks for a smaller case."""


@dataclass
class Search:
    """Executions of one target.

    Attributes
    ----------
    kept : where the files of findings go; None keeps none.
    rounds : rounds that are done, which are the seed of the next one.
    works, refused : cases that were read, and refused.
    findings : details by kind.
    """

    target: str
    kept: Path | None = None
    rounds: int = 0
    works: int = 0
    refused: int = 0
    executions: int = 0
    findings: dict[str, str] = field(default_factory=dict)

    def run(self, seconds: float, most: int | None = None, tick: Callable[[Search], None] = lambda _: None) -> None:
        """Draw and read cases for some time, or for ``most`` rounds."""
        module = TARGETS[self.target]
        sandbox = getattr(module, "Sandbox", Sandbox)(module.read)
        end = time.monotonic() + seconds
        first = self.rounds
        try:
            while time.monotonic() < end and (most is None or self.rounds - first < most):
                self._round(module, sandbox, end, tick)
                self.rounds += 1
        finally:
            sandbox.close()

    def _round(self, module: ModuleType, sandbox: Sandbox, end: float, tick: Callable[[Search], None]) -> None:
        last: dict[str, tuple[Mapping[str, bytes], Outcome]] = {}

        def once(files: Mapping[str, bytes]) -> None:
            if time.monotonic() > end:
                return
            outcome = sandbox.run(files)
            self.executions += 1
            self.works += outcome.kind == "works"
            self.refused += outcome.kind == "refused"
            tick(self)
            if outcome.is_finding and outcome.kind not in self.findings:
                last[outcome.kind] = files, outcome
                raise FoundError(outcome.kind)

        try:
            configured = settings(
                max_examples=ROUND,
                database=None,
                deadline=None,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
                report_multiple_bugs=False,
            )
            seed(self.rounds)(configured(given(module.cases())(once)))()
        except (FoundError, BaseExceptionGroup):
            pass
        for kind, (files, outcome) in last.items():
            self.findings[kind] = outcome.text
            if self.kept is not None:
                self._keep(kind, files, outcome)

    def _keep(self, kind: str, files: Mapping[str, bytes], outcome: Outcome) -> None:
        folder = self.kept / self.target / hashlib.sha256(kind.encode()).hexdigest()[:10]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (folder / "finding.txt").write_text(f"{kind}\n\n{outcome.text}\n", encoding="utf-8", errors="replace")

"""C-simulation of a trained model, and the proof that all executors agree as integers.

The HLS project and the plain-integer emulator are generated and compiled, and their C++ runs every jet and every
hostile event.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nanopelican_hls.config import FirmwareConfig
from nanopelican_hls.contract.execution import execute
from nanopelican_hls.contract.program import Program, read_program
from nanopelican_hls.emulator.project import EmulatorTarget
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.evaluation.class_metrics import auc
from nanopelican_hls.evaluation.metrics import class_names
from nanopelican_hls.files import write_atomically
from nanopelican_hls.flows.csimulation import compile as compile_firmware
from nanopelican_hls.flows.csimulation import trace
from nanopelican_hls.flows.emulation import compile_emulator
from nanopelican_hls.flows.testbench import BenchResult, run_testbench
from nanopelican_hls.hls.project import convert
from nanopelican_hls.jets import Jets, port_values
from nanopelican_hls.network.interpreter import joined_logits
from nanopelican_hls.network.model import TrainedModel
from nanopelican_hls.proof.executors import Executor, Proof, prove
from nanopelican_hls.proof.hostile import HOSTILE_EVENTS, HostileEvents, hostile_events
from nanopelican_hls.topology.result import Output, with_result
from nanopelican_hls.versions import versions

#: number of events that the stand-alone test bench checks too
TESTBENCH_EVENTS = 2_000
#: the executor that the others are compared with
REFERENCE = "qonnx"
#: packages whose versions determine the result
PACKAGES = ("hls4ml", "qonnx", "onnx", "onnxruntime", "brevitas", "torch", "numpy")

Stage = Callable[[str], object]


@dataclass(frozen=True)
class CsimReport:
    """The content of ``csim.json``; see `as_json`."""

    model: TrainedModel
    jets: Proof
    hostile: Proof
    hostile_events: HostileEvents
    testbench: BenchResult
    float_logits: NDArray[np.float64]
    labels: NDArray[np.int8] | None
    seconds: Mapping[str, float]
    program_sha256: str
    command: str = ""

    @property
    def mismatches(self) -> int:
        """Number of mismatched events, jets and hostile ones, summed over executors and the test bench."""
        proofs = (self.jets, self.hostile)
        return self.testbench.mismatches + sum(c.mismatches for p in proofs for c in p.comparisons.values())

    def first_mismatches(self) -> list[str]:
        """The first difference of each executor, as text."""
        found = [
            f"{events}, {name} against {REFERENCE}: {comparison}"
            for events, proof in (("jets", self.jets), ("hostile events", self.hostile))
            for name, comparison in proof.comparisons.items()
            if comparison.mismatches
        ]
        if self.testbench.mismatches:
            found.append(f"test bench against {REFERENCE}: first {self.testbench.first_mismatch}")
        return found

    def _logits(self, executor: str) -> NDArray[np.float64]:
        """Logits [n] of the jets, or [n, K] of K classes; scores [n] if these go out."""
        outputs = {name: torch.as_tensor(values) for name, values in self.jets.outputs[executor].items()}
        if "score" in outputs:
            scores: NDArray[np.float64] = outputs["score"][:, 0].numpy()
            return scores
        logits: NDArray[np.float64] = joined_logits(self.model.config.network, outputs).numpy()
        return logits

    @property
    def auc(self) -> dict[str, float] | None:
        """Area under the ROC curve of float network, quantised network and firmware; None without labels.

        With several classes the mean over them, each against all others.
        """
        if self.labels is None or set(self.labels.tolist()) < set(class_names(self.model.config.network.classes)):
            return None
        logits = {
            "float": self.float_logits,
            "quantised": self._logits("brevitas"),
            "firmware": self._logits("csim"),
        }
        return {name: auc(self.labels, values) for name, values in logits.items()}

    @property
    def accepted(self) -> dict[str, tuple[int, int]]:
        """Jets that the firmware accepts, and all jets, by class or of all; empty without threshold."""
        bits = self.jets.outputs["csim"].get("accept")
        if bits is None:
            return {}
        if self.labels is None:
            return {"all": (int(bits.sum()), len(bits))}
        of_class = {name: bits[self.labels == label] for label, name in class_names().items()}
        return {name: (int(found.sum()), len(found)) for name, found in of_class.items() if len(found)}

    @property
    def _largest_difference(self) -> float | None:
        """Of the logits of float network and firmware; None if scores go out."""
        if self.model.config.firmware.output is Output.SCORE:
            return None
        return float(np.max(np.abs(self.float_logits - self._logits("csim"))))

    def as_json(self) -> dict[str, Any]:
        network = self.model.config.network
        firmware = self.jets.comparisons["csim"]
        return {
            "model": self.model.config.name,
            "n_constituents": network.n_constituents,
            "channels": network.channels,
            "events": firmware.jets,
            "mismatches": _counts(self.jets),
            "first_mismatch": self.first_mismatches(),
            "tensors_compared": list(firmware.tensors),
            "mismatches_by_tensor": _by_tensor(self.jets),
            "auc": self.auc,
            "max_abs_logit_difference_float_vs_firmware": self._largest_difference,
            "accepted": {name: list(counts) for name, counts in self.accepted.items()},
            "hostile": {
                "events": self.hostile.comparisons["csim"].jets,
                "mismatches": _counts(self.hostile),
                "mismatches_by_tensor": _by_tensor(self.hostile),
                "kinds": dict(self.hostile_events.kinds),
                "saturated": list(self.hostile_events.saturated),
                "unreachable": list(self.hostile_events.unreachable),
                "unsaturated": list(self.hostile_events.unsaturated),
            },
            "testbench": {"events": self.testbench.events, "mismatches": self.testbench.mismatches},
            "seconds": dict(self.seconds),
            "program_sha256": self.program_sha256,
            "command": self.command,
            "versions": versions(PACKAGES),
        }


def _counts(proof: Proof) -> dict[str, int]:
    return {f"{name}_vs_{REFERENCE}": comparison.mismatches for name, comparison in proof.comparisons.items()}


def _by_tensor(proof: Proof) -> dict[str, dict[str, int]]:
    """For each executor the tensors that were compared, with the number of events in which one differs."""
    return {
        f"{name}_vs_{REFERENCE}": {tensor: comparison.differing.get(tensor, 0) for tensor in comparison.tensors}
        for name, comparison in proof.comparisons.items()
    }


class Stages:
    """Times the stages of a run, and announces each when it starts."""

    def __init__(self, announce: Stage) -> None:
        self._announce = announce
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self._announce(name)
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 3)


def simulate(
    model: TrainedModel,
    qonnx_path: Path,
    jets: Jets,
    build: Path,
    *,
    announce: Stage,
    progress: Callable[[int], object],
    rtl: bool = False,
) -> CsimReport:
    """Write and compile the HLS project of a model, run all events in all executors, and compare.

    Parameters
    ----------
    model : TrainedModel
        Float network, Brevitas evaluation and firmware settings.
    qonnx_path : Path
        The QONNX file, for QONNX execution and the firmware.
    jets : Jets
        All of them are run.
    build : Path
        Folder for ``hls/``, the project, and ``emulator/``.
    announce : callable
        Called with the name of each stage when it starts.
    progress : callable
        Called with numbers of events when they are done.
    rtl : bool
        Whether to simulate the Verilog of ``rtl/`` too, at its outputs, with the interval of the firmware settings.

    Raises
    ------
    JetsError
        If the jets have other classes than the network.
    """
    labels = jets.labels_of(model.config.network.classes, "csim jets")
    stages = Stages(announce)
    torch.set_num_threads(1)  # processes use the cores already
    with stages("read"):
        program = with_result(read_program(qonnx_path), model.config.firmware.result)
        ports = port_values(jets, model.config.network)
    with stages("float"):
        float_logits = model.float_logits(ports)
    with stages("convert"):
        firmware = convert(program, build / "hls", **model.config.firmware.hls_options())
        sources = EmulatorTarget().write(program, build / "emulator")
    with stages("compile"):
        firmware = compile_firmware(firmware)
    with stages("compile emulator"):
        emulator = compile_emulator(sources)
    executors: dict[str, Executor] = {
        REFERENCE: lambda chunk: execute(program, chunk),
        "brevitas": model.quantised_tensors,
        "csim": lambda chunk: trace(firmware, chunk, threads=1),
        "emulator": emulator.trace,
    }
    if rtl:
        with stages("RTL"):
            executors["rtl"] = _rtl(program, build / "rtl", model.config.firmware)
    with stages("jets"):
        on_jets = prove(program, executors, ports, reference=REFERENCE, progress=progress)
    with stages("hostile events"):
        hostile = hostile_events(program, executors[REFERENCE], HOSTILE_EVENTS)
        on_hostile = prove(program, executors, hostile.ports, reference=REFERENCE, progress=progress)
    with stages("test bench"):
        sample = {name: array[:TESTBENCH_EVENTS] for name, array in ports.items()}
        expected = {name: values[:TESTBENCH_EVENTS] for name, values in on_jets.outputs[REFERENCE].items()}
        testbench = run_testbench(firmware, sample, expected)
    return CsimReport(
        model=model,
        jets=on_jets,
        hostile=on_hostile,
        hostile_events=hostile,
        testbench=testbench,
        float_logits=float_logits,
        labels=labels,
        seconds=stages.seconds | {f"{name}, processor time": round(s, 3) for name, s in on_jets.seconds.items()},
        program_sha256=program.checksum,
    )


def _rtl(program: Program, folder: Path, firmware: FirmwareConfig) -> Executor:
    """Verilog, simulated by Verilator."""
    from nanopelican_hls.flows.verilator import compile_simulation, executor  # of an extra
    from nanopelican_hls.rtl import generate_rtl, open_settings

    settings = open_settings(firmware.clock_period_ns, interval=firmware.interval, streamed=firmware.streamed)
    project = generate_rtl(program, folder, settings=settings)
    compile_simulation(project)
    return executor(project)


def write_report(report: CsimReport, path: Path) -> None:
    """Write ``csim.json``."""
    write_atomically(path, json.dumps(report.as_json(), indent=2) + "\n", FirmwareError)

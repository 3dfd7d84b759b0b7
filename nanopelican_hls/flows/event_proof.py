"""The proof on very many hostile events, in bounded memory, and how much of each quantiser they exercise."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.execution import execute, port_arrays
from nanopelican_hls.contract.program import Program
from nanopelican_hls.emulator.project import EmulatorTarget
from nanopelican_hls.flows.csimulation import compile as compile_firmware
from nanopelican_hls.flows.csimulation import trace
from nanopelican_hls.flows.emulation import Emulator, compile_emulator
from nanopelican_hls.flows.reaching import reachable
from nanopelican_hls.hls.project import convert
from nanopelican_hls.proof.coverage import Coverage
from nanopelican_hls.proof.executors import Executor, prove
from nanopelican_hls.proof.hostile import hostile_events, more_hostile_events

#: events that are generated, run and compared at once
CHUNK = 20_000
#: the executor that the others are compared with
REFERENCE = "qonnx"

Ports = Mapping[str, NDArray[np.float64]]


@dataclass
class EventProof:
    """What was run and found.

    Attributes
    ----------
    coverage : of the quantisers, over all events.
    events : number of events, by executor.
    mismatches : events in which any integer differs from QONNX execution, by executor.
    first : the first difference of each executor, in words.
    jets : of the events, how many are jets.
    seconds : CPU time of each executor.
    """

    coverage: Coverage
    events: dict[str, int] = field(default_factory=dict)
    mismatches: dict[str, int] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    jets: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "events": self.events,
            "jets": self.jets,
            "mismatches": self.mismatches,
            "first_mismatch": self.first,
            "seconds": {name: round(seconds, 1) for name, seconds in self.seconds.items()},
            "coverage": self.coverage.as_json(),
        }


def prove_events(
    program: Program,
    jets: Ports | None,
    events: int,
    build: Path,
    *,
    hls_s: float,
    limit_s: float,
    progress: Callable[[int], object],
) -> EventProof:
    """Run jets and hostile events through QONNX execution, the emulator and the HLS C++, and compare every tensor.

    What no event reached of a quantiser goes to the solver; events that it finds run, too.

    Parameters
    ----------
    program : Program
    jets : mapping of str to float64 array [n, ...], optional
        Values at the ports.
    events : int
        Hostile events, at least; in chunks of `CHUNK`, each of another seed.
    build : Path
        Folder for the C++.
    hls_s : float
        Seconds after which the HLS C++ gets no more events.
    limit_s : float
        Time of the solver for one statement, in seconds.
    progress : callable
        Called with numbers of events when they are done.
    """
    emulator = compile_emulator(EmulatorTarget().write(program, build / "emulator"))
    firmware = compile_firmware(convert(program, build / "hls"))
    run = _Run(program, emulator, lambda chunk: trace(firmware, chunk, threads=1), hls_s, progress)
    if jets is not None:
        count = len(next(iter(jets.values())))
        for start in range(0, count, CHUNK):
            run.add({name: values[start : start + CHUNK] for name, values in jets.items()})
        run.proof.jets = count
    first = hostile_events(program, emulator.trace, min(CHUNK, events)).ports
    run.add(first)
    done, seed = len(next(iter(first.values()))), 0
    while done < events:
        seed += 1
        chunk = more_hostile_events(program, min(CHUNK, events - done), seed)
        done += len(next(iter(chunk.values())))
        run.add(chunk)
    _ask_solver(program, run, limit_s)
    return run.proof


class _Run:
    """Adds events, chunk by chunk."""

    def __init__(
        self,
        program: Program,
        emulator: Emulator,
        hls: Executor,
        hls_s: float,
        progress: Callable[[int], object],
    ) -> None:
        self.program, self.emulator, self.hls, self.hls_s, self.progress = program, emulator, hls, hls_s, progress
        self.start = time.monotonic()
        self.proof = EventProof(Coverage(program))

    def add(self, ports: Ports) -> None:
        program, proof = self.program, self.proof
        arrays = port_arrays(program, ports)
        executors: dict[str, Executor] = {
            REFERENCE: lambda chunk: execute(program, chunk),
            "emulator": self.emulator.trace,
        }
        if time.monotonic() - self.start < self.hls_s:
            executors["csim"] = self.hls
        found = prove(program, executors, arrays, reference=REFERENCE, progress=self.progress)
        proof.coverage.add(arrays, self.emulator.trace(arrays))
        for name, seconds in found.seconds.items():
            proof.events[name] = proof.events.get(name, 0) + len(next(iter(arrays.values())))
            proof.seconds[name] = proof.seconds.get(name, 0.0) + seconds
        for name, comparison in found.comparisons.items():
            proof.mismatches[name] = proof.mismatches.get(name, 0) + comparison.mismatches
            if comparison.mismatches:
                proof.first.setdefault(name, str(comparison))


def _ask_solver(program: Program, run: _Run, limit_s: float) -> None:
    coverage = run.proof.coverage
    wanted = [(tensor, coverage.quantisers[tensor].goals[name]) for tensor, name in coverage.open_goals()]
    answers = reachable(program, wanted, limit_s)
    for (tensor, name), answer in answers.items():
        coverage.quantisers[tensor].reach[name] = answer.reach
    # what they reach is then seen; what they should reach and do not stays a contradiction in the table
    for answer in answers.values():
        if answer.event is not None:
            run.add(answer.event)

"""Runs several executors on the same events, in chunks on all cores, and compares them at every tensor."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.program import Program
from nanopelican_hls.processes import worker_pool
from nanopelican_hls.proof.comparison import Comparison, compare, merge

Arrays = Mapping[str, NDArray[np.float64]]
Executor = Callable[[Arrays], Arrays]

#: traced values, of 8 bytes each, that a process may hold per executor; bounds the memory
VALUES_PER_CHUNK = 16_000_000


@dataclass(frozen=True)
class Proof:
    """Results of the executors.

    Attributes
    ----------
    comparisons : with the reference, by executor.
    outputs : float64 [n, ...] by executor, including the reference, and by output.
    seconds : CPU time of each executor, summed over processes.
    """

    comparisons: Mapping[str, Comparison]
    outputs: Mapping[str, Arrays]
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class _Task:
    program: Program
    executors: Mapping[str, Executor]
    reference: str
    ports: Arrays

    def run(self, bounds: tuple[int, int]) -> Proof:
        chunk = {port: array[slice(*bounds)] for port, array in self.ports.items()}
        tensors, seconds = {}, {}
        for name, executor in self.executors.items():
            start = time.process_time()
            tensors[name] = executor(chunk)
            seconds[name] = time.process_time() - start
        return Proof(
            comparisons={
                name: compare(self.program, tensors[self.reference], tensors[name])
                for name in self.executors
                if name != self.reference
            },
            outputs={
                name: {port.name: tensors[name][port.tensor] for port in self.program.outputs}
                for name in self.executors
            },
            seconds=seconds,
        )


# Executors hold compiled libraries and networks that cannot be pickled: forked workers inherit them.
_task: _Task | None = None


def _on_one_thread() -> None:
    """Keep a forked worker from torch's thread pool, which does not survive a fork: the first use of it would hang."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def _run_chunk(bounds: tuple[int, int]) -> Proof:
    assert _task is not None
    return _task.run(bounds)


def prove(
    program: Program,
    executors: Mapping[str, Executor],
    ports: Arrays,
    *,
    reference: str,
    progress: Callable[[int], object],
) -> Proof:
    """Run every executor on every event and compare each with the reference.

    Parameters
    ----------
    program : Program
        Defines the tensors, their order and their grids.
    executors : mapping of str to callable
        Functions from ports to tensors, by name; each must run in a forked process. Torch has one thread there.
    ports : mapping of str to float64 array [n, ...]
    reference : str
        Name of the executor that the others are compared with.
    progress : callable
        Called after each chunk with its number of events.

    Raises
    ------
    WorkerError
        If a process is killed.
    """
    global _task
    events = len(next(iter(ports.values())))
    per_event = sum(int(np.prod(program.shapes[t])) for t in program.ranges)
    processes = len(os.sched_getaffinity(0))
    size = max(1, min(VALUES_PER_CHUNK // per_event, -(-events // processes)))
    bounds = [(start, min(start + size, events)) for start in range(0, events, size)]
    _task = _Task(program, executors, reference, ports)
    try:
        results = []
        with worker_pool(min(processes, len(bounds)), _on_one_thread, start="fork") as pool:
            for (start, stop), result in zip(bounds, pool.map(_run_chunk, bounds), strict=True):
                results.append(result)
                progress(stop - start)
    finally:
        _task = None
    return _merged(results)


def _merged(results: Iterable[Proof]) -> Proof:
    results = list(results)
    return Proof(
        comparisons={name: merge([r.comparisons[name] for r in results]) for name in results[0].comparisons},
        outputs={
            name: {port: np.concatenate([r.outputs[name][port] for r in results]) for port in ports}
            for name, ports in results[0].outputs.items()
        },
        seconds={name: sum(r.seconds[name] for r in results) for name in results[0].seconds},
    )

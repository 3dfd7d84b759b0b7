"""Training runs in separate processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from typing import Any, TypeVar

import torch

from nanopelican_hls.processes import worker_pool
from nanopelican_hls.progress import SILENT, Progress

Result = TypeVar("Result")

#: seconds between two readings of the workers' progress
READ_EVERY_S = 0.5


def side_by_side(
    function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], jobs: int, progress: Progress = SILENT
) -> Iterator[tuple[int, Result]]:
    """Results of a function for each tuple of arguments, with the index of the call, in order of completion.

    ``jobs`` calls run at a time, each with one torch thread, since they share the cores; with one job, in this process.
    The function gets a `Progress` as its last argument; of workers, amounts arrive here, but no notes.
    """
    if min(jobs, len(calls)) <= 1:
        torch.set_num_threads(1)
        yield from enumerate(function(*call, progress) for call in calls)
        return
    amounts = multiprocessing.get_context("spawn").Array("d", 2)
    # spawned: a fork would inherit torch's threads
    with _reading(amounts, progress), worker_pool(jobs, _begin, (amounts,)) as pool:
        places = {pool.submit(function, *call, _Written()): place for place, call in enumerate(calls)}
        for future in as_completed(places):
            yield places[future], future.result()


#: of a worker: what all of them have done, and skipped
_amounts: Any = None


def _begin(amounts: Any) -> None:
    global _amounts
    _amounts = amounts
    torch.set_num_threads(1)


class _Written(Progress):
    """Progress of a worker, written where the process that shows it reads."""

    def update(self, amount: float = 1) -> None:
        with _amounts.get_lock():
            _amounts[0] += amount

    def skip(self, amount: float) -> None:
        with _amounts.get_lock():
            _amounts[1] += amount


@contextlib.contextmanager
def _reading(amounts: Any, progress: Progress) -> Iterator[None]:
    read, ended = [0.0, 0.0], threading.Event()

    def read_on() -> None:
        now = list(amounts.get_obj())  # without the lock, which a worker that was killed may hold
        progress.skip(now[1] - read[1])
        progress.update(now[0] - read[0])
        read[:] = now

    def keep_reading() -> None:
        while not ended.wait(READ_EVERY_S):
            read_on()

    thread = threading.Thread(target=keep_reading, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        read_on()

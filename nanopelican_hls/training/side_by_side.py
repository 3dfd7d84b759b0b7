"""Training runs in separate processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from typing import Any, TypeVar

import torch

from nanopelican_hls.processes import worker_pool

Result = TypeVar("Result")


def side_by_side(
    function: Callable[..., Result], calls: Sequence[tuple[Any, ...]], jobs: int
) -> Iterator[tuple[int, Result]]:
    """Results of a function for each tuple of arguments, with the index of the call, in order of completion.

    ``jobs`` calls run at a time, each with one torch thread, since they share the cores; with one job, in this process.
    """
    if min(jobs, len(calls)) <= 1:
        torch.set_num_threads(1)
        yield from enumerate(function(*call) for call in calls)
        return
    with worker_pool(jobs, torch.set_num_threads, (1,)) as pool:  # spawned: a fork would inherit torch's threads
        places = {pool.submit(function, *call): place for place, call in enumerate(calls)}
        for future in as_completed(places):
            yield places[future], future.result()

"""Training runs in separate processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

import torch

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
    # spawn: a fork would inherit torch's threads
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        places = {pool.submit(function, *call): place for place, call in enumerate(calls)}
        for future in as_completed(places):
            yield places[future], future.result()

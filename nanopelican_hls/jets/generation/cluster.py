"""Clusters through dask.distributed (docs/generation.md shows Slurm and HTCondor)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import JetsError
from nanopelican_hls.extras import require

#: timeout for connecting to a scheduler
CONNECT_SECONDS = 30


@contextlib.contextmanager
def connect(scheduler: str) -> Iterator[Any]:
    """Connect to a running scheduler, given by its address or the path of its scheduler file.

    Raises
    ------
    JetsError
        If no scheduler answers, or dask is missing.
    """
    require("distributed", "a cluster", JetsError)
    from distributed import Client

    where = {"scheduler_file": scheduler} if Path(scheduler).is_file() else {"address": scheduler}
    try:
        client = Client(**where, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise JetsError(
            f"no dask scheduler answers ({error})",
            where=scheduler,
            remedy="use an address like tcp://host:8786, or the path of a scheduler file",
        ) from error
    with client:
        yield client


@contextlib.contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """Start a cluster of ``workers`` single-threaded processes on this machine, and yield its client.

    Raises
    ------
    JetsError
        If dask is missing or the number is not positive.
    """
    require("distributed", "a cluster", JetsError)
    from distributed import Client, LocalCluster

    if workers < 1:
        raise JetsError(f"cannot start {workers} workers", remedy="ask for at least 1")
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client

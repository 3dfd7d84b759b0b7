"""``nanopelican jets generate``: jets with Pythia 8, FastJet and an emulated detector."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import emit
from nanopelican_hls.cli.progress import progress


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "generate",
        help="generate jets of tops, W, Z, H, quarks and gluons",
        description="Generate jets, half top and half QCD or of other processes (docs/generation.md). A killed run "
        "resumes with the same command, and gives the same file as an uninterrupted one.",
    )
    parser.add_argument("output", type=Path, help="HDF5 file to write")
    parser.add_argument(
        "--jets", type=int, default=20_000, help="number of jets, all processes together (default: 20000)"
    )
    parser.add_argument(
        "--process",
        nargs="+",
        metavar="NAME",
        help="what the jets come from, equally many of each: top (or t), qcd, g, q, W, Z, H (default: top qcd)",
    )
    parser.add_argument("--seed", type=int, default=1, help="equal seeds give equal jets (default: 1)")
    parser.add_argument(
        "--constituents", type=int, default=200, help="number of leading constituents kept (default: 200)"
    )
    parser.add_argument("--chunk", type=int, default=1000, help="jets per unit of work (default: 1000)")
    parser.add_argument("--card", help="detector card, atlas-3.3.3 or atlas-3.3.2 (default: atlas-3.3.3)")
    parser.add_argument(
        "--multiple-interactions", action="store_true", help="add the underlying event (default: without)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes on this machine (default: 1)")
    cluster = parser.add_mutually_exclusive_group()
    cluster.add_argument(
        "--scheduler", metavar="ADDRESS", help="address of a dask.distributed scheduler, or its scheduler file"
    )
    cluster.add_argument(
        "--dask-local", type=int, metavar="N", help="start a dask.distributed cluster of N local workers"
    )
    parser.add_argument("--force", action="store_true", help="overwrite an existing output")


def run(args: argparse.Namespace) -> int:
    """Generate the file, and print the time it took."""
    from nanopelican_hls.jets.generation import Recipe, generate_jets

    chosen: dict[str, Any] = {"card": args.card} if args.card else {}
    if args.process:
        chosen["processes"] = tuple(args.process)
    recipe = Recipe(
        jets=args.jets,
        seed=args.seed,
        chunk_jets=args.chunk,
        n_constituents=args.constituents,
        multiple_interactions=args.multiple_interactions,
        **chosen,
    )
    start = time.monotonic()
    with _cluster(args) as client, progress(args, args.output.name, recipe.jets, "jets") as bar:
        generate_jets(recipe, args.output, jobs=args.jobs, dask_client=client, force=args.force, progress=bar)
    seconds = time.monotonic() - start
    print(f"{args.output}: {recipe.jets} jets, {seconds:.0f} s")
    emit(args, {"file": args.output, "jets": recipe.jets, "seconds": seconds})
    return ExitStatus.OK


@contextlib.contextmanager
def _cluster(args: argparse.Namespace) -> Iterator[Any]:
    """The requested dask client, or None."""
    if args.scheduler is None and args.dask_local is None:
        yield None
        return
    from nanopelican_hls.jets.generation.cluster import connect, local_cluster

    with local_cluster(args.dask_local) if args.scheduler is None else connect(args.scheduler) as client:
        yield client

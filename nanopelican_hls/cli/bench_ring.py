"""``nanopelican bench-ring``: latency and resources against the initiation interval."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import emit, show_markdown
from nanopelican_hls.cli.progress import progress
from nanopelican_hls.errors import SynthesisError


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "bench-ring",
        help="measure the hardware of networks at several initiation intervals",
        description="Measure latency and resources of networks of 8 to 128 constituents at several initiation "
        "intervals, and write ring.json, ring.md and ring.png. Finished rows are kept. Exit status 1 if the RTL of any "
        "row differs from QONNX execution.",
    )
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of constituents (default: all)")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        default=Path("benchmarks/forms"),
        help="folder with the trained forms (default: benchmarks/forms)",
    )
    parser.add_argument("--models", type=Path, default=zoo.MODELS, help="folder of models (default: the zoo)")
    parser.add_argument("--build", type=Path, default=Path("build"), help="folder for the RTL (default: build)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"), help="output folder (default: benchmarks)")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 if the RTL of a row differs from QONNX execution."""
    from nanopelican_hls.benchmarks.ring import INTERVALS, Task, run_tasks, tasks
    from nanopelican_hls.benchmarks.ring_page import page, pictures
    from nanopelican_hls.extras import require
    from nanopelican_hls.files import make_folder, write_atomically

    require("matplotlib", "the picture", SynthesisError)
    unknown = set(args.sizes or ()) - set(INTERVALS)
    if unknown:
        raise SynthesisError(
            "is not a size of the benchmark",
            where=str(min(unknown)),
            remedy=f"use {', '.join(map(str, INTERVALS))}",
        )
    wanted = [task for task in tasks(args.models) if not args.sizes or task.size in args.sizes]
    make_folder(args.output, SynthesisError)
    with progress(args, "bench-ring", sum(task.cost for task in wanted)) as bar:

        def done(task: Task, is_new: bool) -> None:
            bar.note(task.name)
            (bar.update if is_new else bar.skip)(task.cost)

        rows = run_tasks(wanted, args.output / "ring.json", args.build / "ring", args.checkpoints, args.models, done)
    text = page(rows)
    for name, picture in pictures(rows).items():
        write_atomically(args.output / name, picture, SynthesisError)
    write_atomically(args.output / "ring.md", text, SynthesisError)
    show_markdown(text)
    emit(args, {"rows": rows})
    return ExitStatus.of_check(any(row["rtl_vs_qonnx"]["mismatches"] for row in rows))

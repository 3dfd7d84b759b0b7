"""``nanopelican bench-synth``: latency and resources of all forms and sizes (benchmarks/synthesis.{md,json})."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nanopelican_hls import zoo
from nanopelican_hls.benchmarks.synthesis import FORMS, Row, read_rows
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import announce, emit, show_markdown
from nanopelican_hls.cli.progress import progress
from nanopelican_hls.errors import SynthesisError

#: rows, and the conversion of trigger words
Figures = tuple[list[Row], dict[str, Any] | None]

LETTERS = "".join(FORMS)
#: files with the figures, in the folder of the page
ROWS, CONVERSION = "synthesis.json", "conversion.json"


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "bench-synth",
        help="measure latency and resources of all forms (benchmarks/synthesis.{md,json})",
        description="Synthesise the forms of the network at all sizes with open tools (docs/rtl.md). Finished rows "
        "are kept. Exit status 1 if the RTL of any row differs from QONNX execution.",
    )
    parser.add_argument("--forms", default=LETTERS, help=f"letters of the forms (default: {LETTERS})")
    parser.add_argument("--sizes", type=int, nargs="+", help="numbers of constituents (default: all)")
    parser.add_argument(
        "--runs", type=Path, help="output of `nanopelican study forms`: its best seeds are copied first"
    )
    parser.add_argument("--events", type=int, help="simulate only the first EVENTS jets (default: the whole sample)")
    work = parser.add_mutually_exclusive_group()
    work.add_argument("--again", action="store_true", help="measure finished rows again")
    work.add_argument("--page", action="store_true", help="measure nothing, only write the page from the stored rows")
    parser.add_argument(
        "--checkpoints",
        type=Path,
        default=Path("benchmarks/forms"),
        help="folder with the trained networks (default: benchmarks/forms)",
    )
    parser.add_argument(
        "--words",
        default="trigger-n8-l1",
        metavar="MODEL",
        help="checkpoint or name of a model with Level-1 words as input, whose conversion is measured (default: "
        "trigger-n8-l1)",
    )
    parser.add_argument("--build", type=Path, default=Path("build"), help="folder for the RTL (default: build)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"), help="output folder (default: benchmarks)")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 if the RTL of a row differs from QONNX execution."""
    from nanopelican_hls.benchmarks.synthesis_page import page
    from nanopelican_hls.files import write_atomically

    _check(args)
    rows, conversion = _kept(args.output) if args.page else _measured(args)
    text = page(rows, conversion)
    write_atomically(args.output / "synthesis.md", text, SynthesisError)
    show_markdown(text)
    emit(args, {"rows": rows, "conversion": conversion})
    return ExitStatus.of_check(any(row["rtl_vs_qonnx"]["mismatches"] for row in rows))


def _kept(folder: Path) -> Figures:
    from nanopelican_hls.benchmarks.conversion import read_conversion

    rows = read_rows(folder / ROWS)
    if not rows:
        raise SynthesisError("has no rows", where=str(folder / ROWS), remedy="measure first, without --page")
    return rows, read_conversion(folder / CONVERSION)


def _measured(args: argparse.Namespace) -> Figures:
    from nanopelican_hls.benchmarks import synthesis as benchmark
    from nanopelican_hls.benchmarks.conversion import measured_conversion
    from nanopelican_hls.files import make_folder
    from nanopelican_hls.topology.forms import SIZES

    words = zoo.find(args.words, ".pt", SynthesisError)
    if args.runs:
        announce(args, f"{len(benchmark.gather(args.runs, args.checkpoints))} networks copied to {args.checkpoints}")
    jobs, missing = benchmark.jobs(args.forms, args.sizes or SIZES, args.checkpoints, args.build, args.events)
    if missing:
        announce(args, f"skipped, not trained: {', '.join(missing)}")
    if not jobs:
        raise SynthesisError(
            "contains none of the networks",
            where=str(args.checkpoints),
            remedy="train them: nanopelican study forms --jets FOLDER, then bench-synth --runs FOLDER",
        )
    make_folder(args.output, SynthesisError)
    with progress(args, "bench-synth", sum(job.cost for job in jobs)) as bar:

        def report(job: benchmark.Job, is_new: bool) -> None:
            bar.note(f"{job.build.name} {'done' if is_new else 'already done'}")
            (bar.update if is_new else bar.skip)(job.cost)

        rows = benchmark.run_jobs(jobs, args.output / ROWS, report, again=args.again)
    if not words.is_file():
        return rows, None
    where, kept = args.build / words.stem, args.output / CONVERSION
    return rows, measured_conversion(words, where, args.events, kept, again=args.again)


def _check(args: argparse.Namespace) -> None:
    from nanopelican_hls.topology.forms import SIZES

    unknown = set(args.forms) - set(FORMS)
    if unknown or not args.forms:
        raise SynthesisError("is not a form", where=repr(args.forms), remedy=f"use letters of {LETTERS}")
    for size in args.sizes or ():
        if size not in SIZES:
            raise SynthesisError(
                "is not a size of the benchmark", where=str(size), remedy=f"use {', '.join(map(str, SIZES))}"
            )
    if args.events is not None and args.events < 1:
        raise SynthesisError(
            f"must be at least 1, not {args.events}",
            where="events",
            remedy="leave it out for all jets, or ask for 1 or more",
        )

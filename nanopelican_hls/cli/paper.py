"""``nanopelican paper``: Tables 1 and 2 of the paper, on the user's jets."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import positive
from nanopelican_hls.cli.output import emit, show_markdown
from nanopelican_hls.cli.progress import progress


def _output(args: argparse.Namespace) -> Path:
    return args.output or Path("runs", "paper-quick" if args.quick else "paper")


#: what manifest.json says of a run
RECORD = Record(folder=lambda args, _: _output(args), outputs=("tables.json",), sources={}, redirected=("output",))


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "paper",
        help="reproduce Tables 1 and 2 of arXiv:2310.16121",
        description="Train every model of Tables 1 and 2 of arXiv:2310.16121 on your jets. An interrupted run resumes.",
    )
    parser.add_argument(
        "--jets", type=Path, required=True, help="file of jets, or folder with train, valid and test files"
    )
    parser.add_argument("--quick", action="store_true", help="fewer epochs, seeds and jets")
    parser.add_argument("--output", type=Path, help="output folder (default: runs/paper, or runs/paper-quick)")
    parser.add_argument("--jobs", type=positive, help="parallel trainings (default: one per core)")


def run(args: argparse.Namespace) -> int:
    from nanopelican_hls.studies.paper import run_paper
    from nanopelican_hls.studies.runner import default_jobs

    output, jobs = _output(args), args.jobs or default_jobs()
    page = run_paper(args.jets, output, quick=args.quick, jobs=jobs, bars=partial(progress, args))
    show_markdown(page.text)
    print(f"written to {output}/tables.md and tables.json; ROC curves in {output}/runs")
    emit(args, page.content)
    return ExitStatus.OK

"""``nanopelican study``: many trainings, compared in a table and a picture."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import positive
from nanopelican_hls.cli.output import emit, show_markdown
from nanopelican_hls.cli.progress import progress

if TYPE_CHECKING:
    from nanopelican_hls.progress import Bars
    from nanopelican_hls.studies.pages import Page

NAMES = ("firmware", "widths", "architecture", "inputs", "normalisation", "forms", "classes", "ceiling")


def _output(args: argparse.Namespace) -> Path:
    return args.output or Path("runs", f"study-{args.name}")


#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, _: _output(args),
    outputs=("*.json",),
    sources={},
    files=("jets", "model"),
    redirected=("output",),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "study",
        help="train many models and compare them",
        description="Train many models on your jets and compare them (docs/studies.md). An interrupted study resumes.",
    )
    parser.add_argument(
        "name",
        choices=NAMES,
        help="firmware: float and quantised, against N and C; widths: bits of momenta and inner tensors; "
        "architecture: channels, constituents, tied or not, spurions; inputs: jet, rest, number of "
        "constituents; normalisation: BatchNorm and Nbar at N = 80; forms: the networks of bench-synth; "
        "classes: a tagger of several classes beside Deep Sets; "
        "ceiling: a transformer and Deep Sets, in floating point",
    )
    parser.add_argument(
        "--jets", type=Path, required=True, help="file of jets, or folder with train, valid and test files"
    )
    parser.add_argument("--output", type=Path, help="output folder (default: runs/study-<name>)")
    parser.add_argument("--jobs", type=positive, help="parallel trainings (default: one per core)")
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("models/trigger-n16-5c.pt"),
        help="classes: the tagger (default: models/trigger-n16-5c.pt)",
    )


def run(args: argparse.Namespace) -> int:
    from nanopelican_hls.studies.runner import default_jobs

    output, jobs = _output(args), args.jobs or default_jobs()
    page = _page(args, output, jobs, partial(progress, args))
    show_markdown(page.text)
    print(f"written to {output}/{args.name}.md and .json")
    emit(args, {args.name: page.content})
    return ExitStatus.OK


def _page(args: argparse.Namespace, output: Path, jobs: int, bars: Bars) -> Page:
    if args.name == "classes":
        return _classes(args, output, jobs, bars)
    if args.name == "ceiling":
        from nanopelican_hls.studies.ceiling import run_ceiling

        return run_ceiling(args.jets, output, jobs=jobs, bars=bars)
    return _trainings(args, output, jobs, bars)


def _classes(args: argparse.Namespace, output: Path, jobs: int, bars: Bars) -> Page:
    from nanopelican_hls.network.model import load_model
    from nanopelican_hls.studies.classes import run_classes

    return run_classes(load_model(args.model), args.jets, output, jobs=jobs, bars=bars)


def _trainings(args: argparse.Namespace, output: Path, jobs: int, bars: Bars) -> Page:
    from nanopelican_hls.studies.architecture import ArchitectureStudy
    from nanopelican_hls.studies.firmware import SizeStudy, WidthStudy
    from nanopelican_hls.studies.forms import FormsStudy
    from nanopelican_hls.studies.inputs import InputsStudy
    from nanopelican_hls.studies.normalisation import NormalisationStudy

    studies = (SizeStudy(), WidthStudy(), ArchitectureStudy(), InputsStudy(), NormalisationStudy(), FormsStudy())
    return next(study for study in studies if study.name == args.name).run(args.jets, output, jobs, bars)

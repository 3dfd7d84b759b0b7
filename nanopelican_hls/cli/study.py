"""``nanopelican study``: many trainings, compared in a table and a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.numbers import positive

NAMES = ("firmware", "widths", "architecture", "inputs", "forms")


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
        "constituents; forms: the networks of bench-synth",
    )
    parser.add_argument(
        "--jets", type=Path, required=True, help="file of jets, or folder with train, valid and test files"
    )
    parser.add_argument("--output", type=Path, help="output folder (default: runs/study-<name>)")
    parser.add_argument("--jobs", type=positive, help="parallel trainings (default: one per core)")


def run(args: argparse.Namespace) -> int:
    from nanopelican_hls.studies.architecture import ArchitectureStudy
    from nanopelican_hls.studies.firmware import SizeStudy, WidthStudy
    from nanopelican_hls.studies.forms import FormsStudy
    from nanopelican_hls.studies.inputs import InputsStudy
    from nanopelican_hls.studies.runner import default_jobs

    study = next(
        s for s in (SizeStudy(), WidthStudy(), ArchitectureStudy(), InputsStudy(), FormsStudy()) if s.name == args.name
    )
    output = args.output or Path("runs", f"study-{args.name}")
    print(study.run(args.jets, output, args.jobs or default_jobs()))
    print(f"written to {output}/{args.name}.md and .json")
    return 0

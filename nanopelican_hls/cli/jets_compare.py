"""``nanopelican jets compare``: two-sample tests of the spectra of two samples."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import emit, show_markdown


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "compare",
        help="compare two files of jets with two-sample tests",
        description="Kolmogorov-Smirnov tests of multiplicity, mass and pT spectra, class by class, as a table. "
        "Exit status 1 if a p-value is below --p-min.",
    )
    parser.add_argument("first", type=Path, help="file of jets with labels")
    parser.add_argument("second", type=Path, help="file of jets with labels")
    parser.add_argument("--jets", type=int, help="use only the first JETS of each file (default: all)")
    parser.add_argument("--p-min", type=float, default=0.0, help="smallest accepted p-value (default: 0, any)")


def run(args: argparse.Namespace) -> int:
    """Print the table; exit status 1 if a p-value is below --p-min."""
    from nanopelican_hls.jets import read_jets
    from nanopelican_hls.jets.two_samples import compare_samples, markdown

    first, second = (read_jets(path, args.jets) for path in (args.first, args.second))
    rows = compare_samples(first, second)
    show_markdown(markdown(rows, args.first.name, args.second.name))
    emit(args, {"first": args.first.name, "second": args.second.name, "tests": rows})
    return ExitStatus.of_check(min(row.p_value for row in rows) < args.p_min)

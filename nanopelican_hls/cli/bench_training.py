"""``nanopelican bench-training``: speed of training, compared with the straightforward form."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.numbers import positive
from nanopelican_hls.cli.output import emit, show_markdown


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "bench-training",
        help="measure the speed of training (benchmarks/training.{md,json})",
        description="Measure training steps and memory on random jets, compared with the straightforward form. The "
        "figures replace training.{md,json} in --output.",
    )
    parser.add_argument("--batch", type=positive, default=512, help="batch size (default: 512)")
    parser.add_argument("--channels", type=positive, default=2, help="hidden channels (default: 2)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"), help="output folder (default: benchmarks)")


def run(args: argparse.Namespace) -> int:
    from nanopelican_hls.benchmarks.training_speed import run_speed

    text, content = run_speed(args.output, batch=args.batch, channels=args.channels)
    show_markdown(text)
    emit(args, content)
    return ExitStatus.OK

"""``nanopelican bench-training``: speed of training, beside the straightforward form."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.numbers import positive


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "bench-training",
        help="speed of training, as benchmarks/training.{md,json}",
        description="Measure training steps and memory on random jets, beside the straightforward form; the figures "
        "replace training.{md,json} in --output.",
    )
    parser.add_argument("--batch", type=positive, default=512, help="jets in a batch (default: 512)")
    parser.add_argument("--channels", type=positive, default=2, help="hidden channels (default: 2)")
    parser.add_argument(
        "--output", type=Path, default=Path("benchmarks"), help="where the figures go (default: benchmarks)"
    )


def run(args: argparse.Namespace) -> int:
    from nanopelican_hls.benchmarks.training_speed import run_speed

    print(run_speed(args.output, batch=args.batch, channels=args.channels), end="")
    return 0

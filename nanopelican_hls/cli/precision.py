"""``nanopelican precision``: widths of all quantisers under a budget, chosen by four methods and compared."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import fraction, positive
from nanopelican_hls.cli.output import emit, show_markdown
from nanopelican_hls.cli.progress import progress
from nanopelican_hls.cli.trained import CHECKPOINT, CONFIG


def _output(args: argparse.Namespace) -> Path:
    return args.output or Path("runs", f"precision-{Path(args.model).stem}-{args.cost}")


#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, _: _output(args),
    outputs=("precision.json",),
    sources={"config": ".yaml", "model": ".pt"},
    redirected=("output",),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "precision",
        help="choose mixed precision under a budget",
        description="Choose the width of every quantiser of a trained model under cost budgets: by Hessian (once, or "
        "in steps), by greedy search, and uniformly. Fine-tune and compare (docs/precision.md). An interrupted run "
        "resumes.",
    )
    parser.add_argument("config", help=CONFIG)
    parser.add_argument("model", help=CHECKPOINT)
    parser.add_argument(
        "--jets", type=Path, required=True, help="file of jets, or folder with train, valid and test files"
    )
    parser.add_argument(
        "--budget",
        type=fraction,
        nargs="+",
        required=True,
        help="budgets, as fractions of the cost of the model's own widths",
    )
    parser.add_argument("--cost", choices=("bits", "adders"), default="bits", help="measure of cost (default: bits)")
    parser.add_argument("--epochs", type=positive, default=6, help="epochs of fine-tuning (default: 6)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2], help="seeds of fine-tuning (default: 1 2)")
    parser.add_argument("--output", type=Path, help="output folder (default: runs/precision-<model>-<cost>)")
    parser.add_argument("--jobs", type=positive, default=1, help="parallel fine-tunings (default: 1)")


def run(args: argparse.Namespace) -> int:
    from nanopelican_hls.config import load_config

    config = load_config(args.config)

    # heavy imports only after the arguments have been checked
    from nanopelican_hls.network.model import load_model
    from nanopelican_hls.studies.precision import run_precision

    model = load_model(args.model, config)
    output = _output(args)
    page = run_precision(
        model,
        args.jets,
        output,
        budgets=sorted(set(args.budget)),
        cost=args.cost,
        epochs=args.epochs,
        seeds=args.seeds,
        jobs=args.jobs,
        bars=partial(progress, args),
    )
    show_markdown(page.text)
    print(f"written to {output}/precision.md, precision.json and precision.png")
    emit(args, {"precision": page.content})
    return ExitStatus.OK

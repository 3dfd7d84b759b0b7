"""``nanopelican rivals``: other taggers in the same harness, hardware included (docs/rivals.md)."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.numbers import positive
from nanopelican_hls.cli.output import announce, emit, show_markdown
from nanopelican_hls.errors import SynthesisError, TrainingError
from nanopelican_hls.extras import is_installed, require

if TYPE_CHECKING:
    from nanopelican_hls.rivals.campaign import Rival
    from nanopelican_hls.rivals.rows import Row

NETWORKS = ("deep-sets", "deep-sets-tables", "jedi-linear")
COORDINATES = ("angles", "light_cone")
CLOCK_PERIOD_NS = 2.7777
ROWS, PAGE, PICTURE = "rivals.json", "rivals.md", "rivals.png"


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "rivals",
        help="train Deep Sets and JEDI-linear with HGQ2, map them, compare (benchmarks/rivals.*)",
        description="Train Deep Sets and JEDI-linear with HGQ2 on the jets and inputs of our taggers, and map them "
        "with the same open tools (docs/rivals.md). Rows of the same name are replaced, others kept. Without --jets, "
        "only our own rows and the page are written again. Exit status 1 if Verilog and alkaid differ for a jet.",
    )
    parser.add_argument("--jets", type=Path, metavar="FOLDER", help="folder with train.h5, valid.h5 and test.h5")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS, help="default: all")
    parser.add_argument("--sizes", type=positive, nargs="+", default=(8, 16), help="constituents (default: 8 16)")
    parser.add_argument("--coordinates", choices=COORDINATES, default="angles", help="default: angles")
    parser.add_argument("--epochs", type=positive, default=300, help="default: 300")
    parser.add_argument("--seed", type=positive, default=1, help="default: 1")
    parser.add_argument(
        "--budgets",
        type=positive,
        nargs="+",
        default=(20_000, 10_000),
        help="most effective bit operations of a design (default: 20000 10000)",
    )
    parser.add_argument("--build", type=Path, default=Path("build"), help="folder of RTL, ours and theirs (build)")
    parser.add_argument("--models", type=Path, default=zoo.MODELS, help="folder with our cards (default: the zoo's)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"), help="output folder (default: benchmarks)")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 if Verilog and alkaid differ for a jet."""
    from nanopelican_hls.files import make_folder, write_atomically
    from nanopelican_hls.rivals.page import page, picture
    from nanopelican_hls.rivals.rows import merged, read_rows, rows_of_forms, rows_of_zoo, write_rows

    make_folder(args.output, SynthesisError)
    kept = args.output / ROWS
    ours = rows_of_forms(args.output / "synthesis.json") + rows_of_zoo(args.models, args.build)
    write_rows(merged(read_rows(kept), ours), kept)
    if args.jets:
        _measure(args, kept)
    rows = read_rows(kept)
    text = page(rows)
    write_atomically(args.output / PAGE, text, SynthesisError)
    if is_installed("matplotlib"):
        write_atomically(args.output / PICTURE, picture(rows), SynthesisError)
    show_markdown(text)
    emit(args, {"rows": rows})
    # Keras computes in float32, and is no executor of the hardware: its differences are on the page
    wrong = [pair for row in rows for pair, (_, different) in row.mismatches.items() if different and "RTL" in pair]
    return ExitStatus.of_check(wrong)


def _measure(args: argparse.Namespace, kept: Path) -> None:
    """Train and map; rows are written after each training."""
    for package in ("hgq", "keras", "jax"):
        require(package, "training of rivals", TrainingError)
    os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported
    from nanopelican_hls.jets import read_jets
    from nanopelican_hls.rivals.campaign import SAMPLES, Rival, measured
    from nanopelican_hls.rivals.rows import merged, read_rows, write_rows

    jets = {name: read_jets(args.jets / f"{name}.h5") for name in SAMPLES}
    for size in args.sizes:
        for network in args.networks:
            rival = Rival(network, size, args.coordinates, args.epochs, args.seed, tuple(args.budgets), CLOCK_PERIOD_NS)
            command = _command(rival)
            rows: list[Row] = measured(
                rival, jets, args.build / "rivals", command, announce=lambda line: announce(args, line)
            )
            write_rows(merged(read_rows(kept), rows), kept)


def _command(rival: Rival) -> str:
    """The command that trains one rival, without the user's folders."""
    return (
        f"nanopelican rivals --jets FOLDER --networks {rival.network} --sizes {rival.n_constituents} --coordinates "
        f"{rival.coordinates} --epochs {rival.epochs} --seed {rival.seed} --budgets "
        + " ".join(map(str, rival.budgets))
    )

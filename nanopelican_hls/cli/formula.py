"""``nanopelican formula``: a trained tagger as an analytic formula, and the spread of its parameters over seeds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import Table, emit
from nanopelican_hls.cli.trained import CHECKPOINT

if TYPE_CHECKING:
    from nanopelican_hls.network.checkpoint import Checkpoint


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "formula",
        help="print a trained model as an analytic formula",
        description="Print the number of parameters, the canonical parameters and the formula of a float network. With "
        "several checkpoints: the formula of the first, and mean and standard deviation of every parameter.",
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help=f"{CHECKPOINT}; or folder of runs")
    parser.add_argument("--digits", type=_digits, default=4, help="significant digits, 1 to 17 (default: 4; 17: exact)")
    parser.add_argument("--latex", action="store_true", help="print formula and parameters in LaTeX")


def _digits(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 17:
        raise argparse.ArgumentTypeError(f"must be 1 to 17, not {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Print the counts, the parameters and the formula."""
    from nanopelican_hls.analysis.formula import Formula, latex, parameter_count, parameter_rows, text
    from nanopelican_hls.network.model import TrainedModel

    checkpoints = _checkpoints([file for source in args.models for file in _files(source)])
    networks = [TrainedModel(checkpoint).float_network for checkpoint in checkpoints]
    formulas = [Formula.of(net) for net in networks]
    count = parameter_count(networks[0])
    comment = "% " if args.latex else ""
    several = len(checkpoints) > 1
    seeds = ", ".join(str(checkpoint.seed) for checkpoint in checkpoints)
    heading = f"{checkpoints[0].config.name}, seed{'s' * several} {seeds}"
    print(f"{comment}{heading}{'; the formula is that of the first' if several else ''}")
    print(
        f"{comment}parameters: {count.nominal} nominal, {count.effective} effective as the paper counts, "
        f"{count.independent} independent\n"
    )
    rows = parameter_rows(formulas, digits=args.digits, tex=args.latex)
    written = (latex if args.latex else text)(formulas[0], digits=args.digits)
    if args.latex:
        print(written)
        print(_tabular(rows), end="")
    else:
        table = Table(*rows[0])
        for row in rows[1:]:
            table.add(*row)
        table.show()
        print()
        print(written, end="")
    emit(
        args,
        {
            "model": checkpoints[0].config.name,
            "seeds": [checkpoint.seed for checkpoint in checkpoints],
            "parameters": count,
            "values": [formula.parameters for formula in formulas],
            "formula": written,
        },
    )
    return ExitStatus.OK


def _files(source: str) -> list[Path]:
    """The checkpoints of an argument: the file itself, that of a run, or those of all runs in a folder."""
    from nanopelican_hls.errors import NetworkError

    path = zoo.find(source, ".pt", NetworkError)
    if not path.is_dir():
        return [path]
    found = [best for best in (path / "best.pt", *sorted(path.glob("*/best.pt"))) if best.exists()]
    if not found:
        raise NetworkError(
            "has no finished run", where=str(path), remedy="give a checkpoint, or the folder of a run with best.pt"
        )
    return found


def _checkpoints(files: list[Path]) -> list[Checkpoint]:
    """Read checkpoints of one architecture; the error for a different one names the field."""
    from nanopelican_hls.config import to_mapping
    from nanopelican_hls.network.checkpoint import load_checkpoint, require_equal

    checkpoints = [load_checkpoint(file) for file in files]
    configs = [checkpoint.config for checkpoint in checkpoints]
    forms = [{"network": to_mapping(c.network), "training": {"nbar": c.training.nbar}} for c in configs]
    for file, form in zip(files, forms, strict=True):
        require_equal(forms[0], form, str(file))
    return checkpoints


def _tabular(rows: list[list[str]]) -> str:
    """The rows as a LaTeX table."""
    units = {"1": "1", "GeV^2": r"$\mathrm{GeV}^{2}$", "GeV^-2": r"$\mathrm{GeV}^{-2}$"}
    head, *rest = rows
    cells = [head, *([f"${_symbol(r[0])}$", *r[1:4], units[r[4]], *r[5:]] for r in rest)]
    body = " \\\\\n".join(" & ".join(row) for row in cells)
    return f"\\begin{{tabular}}{{{'l' * len(head)}}}\n{body}\n\\end{{tabular}}\n"


def _symbol(name: str) -> str:
    base, _, index = name.partition("_")
    if base == "alpha":
        return rf"\alpha_{{{_symbol(index)}}}"
    if index:
        return {"diag": r"b_\mathrm{diag}", "n": "b_n", "nn": "b_{n^2}"}[index]
    return "_".join(name)

"""``nanopelican prove``: firmware equal to its operators for all inputs, by a solver."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.output import emit
from nanopelican_hls.cli.progress import progress

#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, _: args.output,
    outputs=("proof.json",),
    sources={"models": ".onnx"},
    files=(),
    redirected=("build", "output"),
    tools=("clang",),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "prove",
        help="prove the C++ of models equal to the operators, for all inputs",
        description="Prove each layer of the HLS C++ and of the emulator equal to the definition of its operator, for "
        "all inputs, with clang and the solver Bitwuzla. Writes proof.json and proof.md; finished models are kept. "
        "Exit status 1 if anything is refuted.",
    )
    parser.add_argument("models", nargs="*", help="QONNX files, or names of the zoo (default: the zoo)")
    parser.add_argument("--limit", type=float, default=60, help="seconds for one statement (default: 60)")
    parser.add_argument(
        "--most", type=int, default=20, help="largest number of constituents that is tried (default: 20)"
    )
    parser.add_argument("--build", type=Path, default=Path("build"), help="folder for the C++ (default: build)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"), help="output folder (default: benchmarks)")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 if anything is refuted."""
    from nanopelican_hls.contract.program import read_program
    from nanopelican_hls.errors import ContractError, SolverError
    from nanopelican_hls.extras import require
    from nanopelican_hls.solver.decide import Verdict
    from nanopelican_hls.solver.report import TARGETS, constituents, prove_models

    require("bitwuzla", "a proof for all inputs", SolverError)
    paths = (
        [zoo.find(name, ".onnx", ContractError) for name in args.models]
        if args.models
        else sorted(zoo.MODELS.glob("*.onnx"))
    )
    programs = {path.stem: read_program(path) for path in paths}
    args.output.mkdir(parents=True, exist_ok=True)
    tensors = sum(len(program.nodes) for program in programs.values() if constituents(program) <= args.most)
    tensors *= len(TARGETS)
    with progress(args, "prove", tensors, "tensors") as bar:

        def proved(where: str, tensor: str) -> None:
            bar.note(f"{where}, {tensor}")
            bar.update()

        rows = prove_models(programs, args.output, args.build, args.limit, args.most, proved)
    for row in rows:
        print(f"{row['model']}, {row['target']}: {Verdict(row['verdict']).value} {row['reason'][:300]}".rstrip())
    emit(args, {"models": rows})
    return ExitStatus.of_check(any(row["verdict"] == "refuted" for row in rows))

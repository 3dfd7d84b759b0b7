"""``nanopelican prove``: firmware equal to its operators for all inputs, by a solver."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import positive, seconds
from nanopelican_hls.cli.output import emit
from nanopelican_hls.cli.progress import progress

if TYPE_CHECKING:
    from nanopelican_hls.contract.program import Program

#: events of ``--coverage`` alone
COVERAGE_EVENTS = 20_000

FIRMWARE = ("hls", "emulator", "verilog")

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
        help="prove the C++ and the Verilog of models equal to the operators, for all inputs",
        description="Prove each layer of the HLS C++, of the emulator and, of the model cut to three constituents, of "
        "the Verilog equal to the definition of its operator, for all inputs, with clang, Yosys and the solver "
        "Bitwuzla. Writes proof.json and proof.md; finished models are kept, unless more time is given to what has no "
        "answer. "
        "Exit status 1 if anything is refuted.",
    )
    parser.add_argument("models", nargs="*", help="QONNX files, or names of the zoo (default: the zoo)")
    parser.add_argument(
        "--firmware", nargs="+", choices=FIRMWARE, default=FIRMWARE, help="what to prove (default: all of them)"
    )
    parser.add_argument("--limit", type=seconds, default=60, help="seconds for one statement (default: 60)")
    parser.add_argument(
        "--most", type=positive, default=20, help="largest number of constituents that is tried (default: 20)"
    )
    parser.add_argument(
        "--events",
        type=positive,
        metavar="N",
        help="run N hostile events, too, and the sample of jets for models of the zoo: emulator and HLS C++ against "
        "QONNX execution",
    )
    parser.add_argument(
        "--hls-seconds", type=seconds, default=600, help="the HLS C++ gets events for so long (default: 600)"
    )
    parser.add_argument(
        "--coverage",
        action="store_true",
        help=f"show how much of each quantiser the events exercise; of {COVERAGE_EVENTS:,} if --events is not given",
    )
    parser.add_argument("--build", type=Path, default=Path("build"), help="folder for the C++ (default: build)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"), help="output folder (default: benchmarks)")


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 if anything is refuted."""
    from nanopelican_hls.contract.program import read_program
    from nanopelican_hls.errors import ContractError, SolverError
    from nanopelican_hls.extras import require
    from nanopelican_hls.files import make_folder, one_at_a_time
    from nanopelican_hls.flows.build_folder import locked

    require("bitwuzla", "a proof for all inputs", SolverError)
    paths = (
        [zoo.find(name, ".onnx", ContractError) for name in args.models]
        if args.models
        else sorted(zoo.MODELS.glob("*.onnx"))
    )
    programs = {path.stem: read_program(path) for path in paths}
    make_folder(args.output, SolverError)
    with locked(args.build), ExitStack() as stack:
        if not args.output.samefile(args.build):
            stack.enter_context(one_at_a_time(args.output, SolverError, "--output"))
        return _prove(args, programs)


def _prove(args: argparse.Namespace, programs: dict[str, Program]) -> int:
    from nanopelican_hls.solver.decide import Verdict
    from nanopelican_hls.solver.report import constituents, prove_models, prove_verilog_models
    from nanopelican_hls.solver.verilog_report import INTERVALS

    targets, verilog = [one for one in args.firmware if one != "verilog"], "verilog" in args.firmware
    tensors = sum(len(p.nodes) for p in programs.values() if constituents(p) <= args.most) * len(targets)
    tensors += sum(len(p.nodes) for p in programs.values()) * len(INTERVALS) * verilog
    with progress(args, "prove", tensors, "tensors") as bar:

        def proved(where: str, tensor: str) -> None:
            bar.note(f"{where}, {tensor}")
            bar.update()

        rows = prove_models(programs, args.output, args.build, args.limit, args.most, proved, targets)
        if verilog:
            rows += prove_verilog_models(programs, args.output, args.build, args.limit, proved)
    for row in rows:
        target = f"{row['target']} every {row['interval']}" if "interval" in row else row["target"]
        print(f"{row['model']}, {target}: {Verdict(row['verdict']).value} {row['reason'][:300]}".rstrip())
    refuted = any(row["verdict"] == "refuted" for row in rows)
    asked = args.events is not None or args.coverage
    events = [_run_events(args, name, program) for name, program in programs.items()] if asked else []
    emit(args, {"models": rows, "events": events})
    return ExitStatus.of_check(refuted or any(any(row["mismatches"].values()) for row in events))


def _run_events(args: argparse.Namespace, name: str, program: Program) -> dict[str, Any]:
    """Events of one model into the report; returns its row."""
    from nanopelican_hls.config import load_config
    from nanopelican_hls.flows.build_folder import locked
    from nanopelican_hls.flows.event_proof import prove_events
    from nanopelican_hls.jets import port_values, read_jets, sample_path
    from nanopelican_hls.solver.report import add_events, coverage_table

    jets = port_values(read_jets(sample_path()), load_config(name).network) if zoo.is_name(name) else None
    events = args.events or COVERAGE_EVENTS
    with locked(args.build / name), progress(args, f"{name}, events", None, "events") as bar:
        proof = prove_events(
            program,
            jets,
            events,
            args.build / name,
            hls_s=args.hls_seconds,
            limit_s=args.limit,
            progress=bar.update,
        )
    row = {"model": name, "program_sha256": program.checksum} | proof.as_json()
    add_events(args.output, row)
    for executor, mismatches in proof.mismatches.items():
        print(f"{name}, {executor}: {proof.events[executor]} events, {mismatches} differ from QONNX execution")
    for executor, first in proof.first.items():
        print(f"{name}, {executor}: {first}")
    if args.coverage:
        print(coverage_table(row))
    return row

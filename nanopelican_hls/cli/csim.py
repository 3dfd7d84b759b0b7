"""``nanopelican csim``: HLS projects of trained models, and the proof that they are bit-exact."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import positive
from nanopelican_hls.cli.output import Table, emit
from nanopelican_hls.cli.progress import progress
from nanopelican_hls.cli.trained import CONFIG, add_models, add_result, trained_file, with_result_of

if TYPE_CHECKING:
    from nanopelican_hls.flows.bit_accuracy import CsimReport
    from nanopelican_hls.jets import Jets

logger = logging.getLogger(__name__)


#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, name: args.build / name,
    outputs=("csim.json", "hls/model.onnx", "hls/firmware/**/*.h", "hls/firmware/*.cpp", "emulator/emulator.*"),
    sources={"configs": ".yaml"},
    trained=(".pt", ".onnx"),
    tools=("g++",),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "csim",
        help="write the HLS project of a model, C-simulate it, and prove it bit-exact",
        description="Write the HLS project and the plain-integer emulator of a trained model, compile both with g++, "
        "run jets and hostile events, and compare every tensor, as integers, with QONNX execution. Exit status 1 on "
        "any mismatch.",
    )
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help=CONFIG)
    parser.add_argument(
        "--jets", type=Path, help="file of jets, in any layout of docs/jets.md (default: the shipped sample)"
    )
    parser.add_argument("--events", type=positive, help="use only the first EVENTS jets (default: all)")
    parser.add_argument(
        "--build", type=Path, default=Path("build"), help="folder for projects and reports (default: build)"
    )
    parser.add_argument("--rtl", action="store_true", help="simulate the Verilog of the open flow too (minutes)")
    add_result(parser)
    add_models(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if all integers are equal, otherwise 1."""
    from nanopelican_hls.config import load_config

    configs = [with_result_of(args, source, load_config(source)) for source in args.configs]
    checkpoints, qonnx = (
        [trained_file(*found, args.models, suffix) for found in zip(args.configs, configs, strict=True)]
        for suffix in (".pt", ".onnx")
    )

    # heavy imports only after the arguments have been checked
    from nanopelican_hls.flows.bit_accuracy import simulate, write_report
    from nanopelican_hls.flows.build_folder import locked
    from nanopelican_hls.network.model import load_model
    from nanopelican_hls.proof.hostile import HOSTILE_EVENTS

    models = [load_model(path, config) for path, config in zip(checkpoints, configs, strict=True)]
    jets = {classes: _jets(args, classes) for classes in {config.network.classes for config in configs}}
    reports: list[CsimReport] = []
    try:
        for config, model, path in zip(configs, models, qonnx, strict=True):
            build, found = args.build / config.name, jets[config.network.classes]
            with locked(build), progress(args, config.name, len(found) + HOSTILE_EVENTS, "events") as bar:
                report = simulate(model, path, found, build, announce=bar.note, progress=bar.update, rtl=args.rtl)
                report = replace(report, command=args.command_line)
                write_report(report, build / "csim.json")
            reports.append(report)
    finally:  # of what is done, even if a later model fails
        _show(reports)
    for report in reports:
        if report.accepted:
            print(f"{report.model.config.name}: accepted {_accepted(report.accepted)}")
        for line in report.first_mismatches():
            print(f"{report.model.config.name}: MISMATCH, {line}", file=sys.stderr)
    emit(args, {"models": [report.as_json() for report in reports]})
    return ExitStatus.of_check(any(report.mismatches for report in reports))


def _jets(args: argparse.Namespace, classes: tuple[str, ...]) -> Jets:
    """The jets for networks with these classes; the shipped sample without labels if it lacks one."""
    from nanopelican_hls.jets import read_jets, sample_path
    from nanopelican_hls.jets.readers.classes import BINARY

    if args.jets is None and classes and not {name.casefold() for name in classes} <= set(BINARY):
        logger.warning(
            "the shipped sample lacks some of the classes %s: AUC will be skipped; --jets takes a file that has them",
            ", ".join(classes),
        )
        return replace(read_jets(sample_path(), args.events), labels=None)
    return read_jets(args.jets or sample_path(), args.events, classes=classes or None)


def _accepted(counts: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{passed} of {jets} {name} jets ({passed / jets:.2%})" for name, (passed, jets) in counts.items())


#: columns of each executor that is compared with QONNX execution
EXECUTORS = {"brevitas": "Brevitas", "csim": "firmware", "emulator": "emulator", "rtl": "RTL"}


def _show(reports: Sequence[CsimReport]) -> None:
    """Print mismatches of each executor with QONNX execution, for jets and hostile events together."""
    if not reports:
        return
    rows = [_row(report) for report in reports]
    titles = ["model", *(f">{title}" for title in rows[0] if title != "model")]
    table = Table(*titles, caption="mismatches against QONNX execution, in events; AUC on the jets")
    for row in rows:
        table.add(*row.values())
    table.show()


def _row(report: CsimReport) -> dict[str, Any]:
    content = report.as_json()
    auc = content["auc"] or dict.fromkeys(("float", "quantised", "firmware"))
    mismatches = {
        name: content["mismatches"][name] + content["hostile"]["mismatches"][name] for name in content["mismatches"]
    }
    return {
        "model": content["model"],
        "N": content["n_constituents"],
        "C": content["channels"],
        "jets": content["events"],
        "hostile": content["hostile"]["events"],
        "tensors": len(content["tensors_compared"]),
        **{
            title: mismatches[f"{name}_vs_qonnx"]
            for name, title in EXECUTORS.items()
            if f"{name}_vs_qonnx" in mismatches
        },
        **{
            f"AUC {name}": "-" if auc[name] is None else f"{auc[name]:.4f}"
            for name in ("float", "quantised", "firmware")
        },
        "s": f"{sum(v for k, v in content['seconds'].items() if not k.endswith('processor time')):.0f}",
    }

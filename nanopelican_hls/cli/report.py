"""``nanopelican report``: one page that answers what a trigger review asks about a model."""

from __future__ import annotations

import argparse
import logging
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import positive
from nanopelican_hls.cli.output import announce, emit
from nanopelican_hls.cli.progress import progress
from nanopelican_hls.cli.trained import CONFIG, add_models, read_trained, trained_file
from nanopelican_hls.errors import ReportError

if TYPE_CHECKING:
    from nanopelican_hls.report.content import Report
    from nanopelican_hls.report.subject import Subject

logger = logging.getLogger(__name__)


#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, name: args.output or args.build / name,
    outputs=("report.json",),
    sources={"config": ".yaml"},
    trained=(".pt", ".onnx", ".json"),
    beside=lambda args, name: [
        *(args.build / name / file for file in ("csim.json", "synth.json")),
        *(args.benchmarks / file for file in ("ring.json", "rivals.json")),
    ],
    redirected=("output",),
    dropped=("run",),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "report",
        help="a page on a model: accuracy, physics, working points, hardware (HTML, Markdown, JSON)",
        description="Write build/NAME/report.html, one file that loads nothing, from what csim and synth have left "
        "in the "
        "build folder and from what is measured on jets; report.md and report.json have the same content "
        "(docs/report.md). Exit status 1 if the executors differ in any event.",
    )
    parser.add_argument("config", nargs="?", metavar="CONFIG", help=CONFIG)
    parser.add_argument(
        "--compare",
        nargs=2,
        metavar=("A", "B"),
        help="instead: two models side by side; each a CONFIG, or a report.json",
    )
    parser.add_argument("--run", action="store_true", help="first run csim and synth, if the build folder lacks them")
    parser.add_argument(
        "--jets", type=Path, help="file of labelled jets, in any layout of docs/jets.md (default: the shipped sample)"
    )
    parser.add_argument("--events", type=positive, help="use only the first EVENTS jets (default: all)")
    parser.add_argument("--build", type=Path, default=Path("build"), help="build folder (default: build)")
    parser.add_argument(
        "--benchmarks",
        type=Path,
        default=Path("benchmarks"),
        help="folder with ring.json and rivals.json, to compare with (default: benchmarks)",
    )
    parser.add_argument("--output", type=Path, help="output folder (default: BUILD/NAME, or BUILD/A-B)")
    add_models(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 if executors differ."""
    if bool(args.config) == bool(args.compare):
        raise ReportError(
            "give one of CONFIG and --compare A B", where="nanopelican report", remedy="nanopelican report trigger-n16"
        )
    from nanopelican_hls.files import try_folder
    from nanopelican_hls.report.writing import require_packages, write_report

    require_packages()
    if args.output:
        try_folder(args.output, ReportError)
    if args.compare:
        from nanopelican_hls.report.comparison import compare

        first, second = (_report_of(source, args) for source in args.compare)
        report = compare(first, second, _command(args))
        folder = args.output or args.build / "-".join(report.models)
    else:
        report = _report(args.config, args)
        folder = args.output or args.build / report.models[0]
    written = write_report(report, folder)
    for path in written:
        print(f"written: {path}")
    emit(args, {"models": report.models, "differs": report.differs, "written": written})
    return ExitStatus.of_check(report.differs)


def _report_of(source: str, args: argparse.Namespace) -> Report:
    """The report of a model, or one that was written before."""
    from nanopelican_hls.report.content import read_report

    return read_report(Path(source)) if source.endswith(".json") else _report(source, args)


def _report(source: str, args: argparse.Namespace) -> Report:
    # heavy imports only after the arguments have been checked
    import torch

    from nanopelican_hls.report.gather import SECTIONS, gather

    torch.set_num_threads(1)  # the arrays are too small to gain from threads
    subject = _subject(source, args)
    if args.run:
        _run_missing(subject, args)
        subject = _subject(source, args)
    with progress(args, subject.name, len(SECTIONS), "sections") as bar:
        return gather(subject, lambda _: bar.update())


def _subject(source: str, args: argparse.Namespace) -> Subject:
    from nanopelican_hls import zoo
    from nanopelican_hls.config import load_config
    from nanopelican_hls.errors import ConfigError
    from nanopelican_hls.jets import read_jets, sample_path
    from nanopelican_hls.network.model import load_model
    from nanopelican_hls.report.subject import Subject

    config = load_config(source)
    checkpoint, qonnx = (trained_file(source, config, args.models, suffix) for suffix in (".pt", ".onnx"))
    path = args.jets or sample_path()
    classes = config.network.classes if args.jets else ()
    jets = read_jets(path, args.events, classes=classes or None)
    return Subject(
        source=source,
        command=_command(args, source),
        model=load_model(checkpoint, config),
        program=read_trained(source, config, args.models),
        files={
            "configuration": zoo.find(source, ".yaml", ConfigError),
            "checkpoint": checkpoint,
            "QONNX file": qonnx,
            "card": checkpoint.with_suffix(".json"),
        },
        build=args.build / config.name,
        models_option=_option("--models", args.models),
        build_option="" if args.build == Path("build") else _option("--build", args.build),
        jets=jets,
        jets_path=path,
        jets_option=" ".join(filter(None, [_option("--jets", args.jets), _option("--events", args.events)])),
        is_sample=args.jets is None,
        benchmarks=args.benchmarks,
    )


def _run_missing(subject: Subject, args: argparse.Namespace) -> None:
    """Run csim and synth if the build folder has nothing of theirs, or of another QONNX file."""
    from nanopelican_hls.cli import run_words

    for found, command in ((subject.csim, subject.csim_command), (subject.synth, subject.synth_command)):
        if found is None or subject.is_stale(found):
            announce(args, command)
            run_words(["--verbose"] * args.verbose + ["--quiet"] * args.quiet + shlex.split(command)[1:])


def _command(args: argparse.Namespace, source: str | None = None) -> str:
    """The command that makes this report, as the user would type it."""
    what = [shlex.quote(source)] if source else ["--compare", *map(shlex.quote, args.compare)]
    options = [_option("--jets", args.jets), _option("--events", args.events), _option("--models", args.models)]
    options += [_option("--build", args.build) if args.build != Path("build") else ""]
    options += [_option("--benchmarks", args.benchmarks) if args.benchmarks != Path("benchmarks") else ""]
    return " ".join(["nanopelican report", *what, *filter(None, options)])


def _option(name: str, value: object) -> str:
    return "" if value is None else f"{name} {shlex.quote(str(value))}"

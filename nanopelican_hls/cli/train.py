"""``nanopelican train``: train a model and write its checkpoint, card and QONNX file."""

from __future__ import annotations

import argparse
import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import positive
from nanopelican_hls.cli.output import emit
from nanopelican_hls.cli.progress import progress
from nanopelican_hls.cli.trained import CONFIG
from nanopelican_hls.errors import ConfigError

#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, name: args.runs / name,
    base=lambda args, _: args.output,
    outputs=("{name}.json", "{name}.onnx"),
    sources={"config": ".yaml"},
    files=("train", "valid", "test"),
    redirected=("output", "runs"),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "train",
        help="train a model",
        description="Train all seeds of a configuration and keep the best (docs/training.md). An interrupted run "
        "resumes.",
    )
    parser.add_argument("config", help=CONFIG)
    parser.add_argument(
        "--train", type=Path, required=True, help="file of training jets, in any layout of docs/jets.md"
    )
    parser.add_argument("--valid", type=Path, required=True, help="file of validation jets, for model selection")
    parser.add_argument("--test", type=Path, help="file of test jets, for the figures on the card")
    parser.add_argument("--output", type=Path, default=Path("models"), help="output folder (default: models)")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), help="folder for the runs, one per seed (default: runs)"
    )
    parser.add_argument("--tensorboard", action="store_true", help="write events for TensorBoard into the run folders")
    parser.add_argument("--seeds", type=int, nargs="+", help="seeds (default: from the configuration)")
    parser.add_argument("--jobs", type=positive, default=1, help="seeds trained in parallel (default: 1)")


def run(args: argparse.Namespace) -> int:
    """Train all seeds, choose the best, measure it and write its files; a killed run resumes."""
    from nanopelican_hls.config import load_config
    from nanopelican_hls.config.training import check_seeds
    from nanopelican_hls.errors import NetworkError
    from nanopelican_hls.files import make_folder, try_folder, write_atomically

    config = load_config(args.config)
    if args.seeds:
        check_seeds(args.seeds, "--seeds")
    try_folder(args.output, NetworkError)

    # heavy imports only after the arguments have been checked
    from nanopelican_hls.evaluation.sample import Sample
    from nanopelican_hls.network.checkpoint import save_checkpoint
    from nanopelican_hls.network.model import TrainedModel, export_qonnx
    from nanopelican_hls.training.card import card_content, logits_of, measure, measure_working_points
    from nanopelican_hls.training.card_page import card_markdown, summary
    from nanopelican_hls.training.seeds import read_sample, train_seeds

    seeds = args.seeds or list(config.training.seeds)
    files = {name: path for name in ("train", "valid", "test") if (path := getattr(args, name)) is not None}
    samples = {name: read_sample(path, config.network) for name, path in files.items()}
    with progress(args, config.name, len(seeds) * config.training.epochs, "epochs") as bar:
        trained = train_seeds(
            config,
            args.train,
            args.valid,
            seeds=seeds,
            jobs=args.jobs,
            runs=args.runs / config.name,
            progress=bar,
            tensorboard=args.tensorboard,
        )
    measured: dict[str, Sample] = {name: samples[name] for name in ("valid", "test") if name in samples}
    labels = {name: sample.labels for name, sample in measured.items()}
    logits = {name: logits_of(trained[0], sample) for name, sample in measured.items()}
    classes = config.network.classes
    metrics: dict[str, Any] = {name: measure(classes, labels[name], logits[name]) for name in measured}
    best = replace(trained[0], metrics=metrics)
    data = {name: {"file": files[name].name, "jets": len(sample)} for name, sample in samples.items()}
    points = measure_working_points(classes, labels, logits)
    content = card_content(best, trained, data, _command(args, seeds), points)
    stem = args.output / config.name
    make_folder(args.output, NetworkError)
    if best.description is not None:
        export_qonnx(TrainedModel(best), stem.with_suffix(".onnx"))
    write_atomically(stem.with_suffix(".json"), json.dumps(content, indent=2) + "\n", NetworkError)
    write_atomically(stem.with_suffix(".md"), card_markdown(content), NetworkError)
    save_checkpoint(best, stem.with_suffix(".pt"))
    figures = metrics["test" if args.test else "valid"]
    for form, values in figures.items():
        print(f"{config.name} {form}: {summary(values)}")
    emit(args, content)
    return ExitStatus.OK


def _command(args: argparse.Namespace, seeds: list[int]) -> str:
    """The command line, without local paths; a configuration of the zoo by its name, which is the same everywhere."""
    path = zoo.find(args.config, ".yaml", ConfigError)
    of_zoo = zoo.file_of(path.stem, ".yaml")
    word = path.stem if of_zoo.exists() and path.samefile(of_zoo) else str(Path(path.parent.name, path.name))
    words = ["nanopelican", "train", word]
    for name in ("train", "valid", "test"):
        if path := getattr(args, name):
            words += [f"--{name}", path.name]
    return shlex.join([*words, "--output", args.output.name, "--seeds", *map(str, seeds)])

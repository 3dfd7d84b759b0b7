"""``nanopelican bench``: speed of the C-simulation on this machine."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.trained import CONFIG, add_models, trained_file
from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import write_atomically

#: number of runs; each figure is their median
REPEATS = 5


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "bench",
        help="measure the speed of the C-simulation (benchmarks/csimulation.{md,json})",
        description="Measure how fast the compiled C++ runs the shipped sample on this machine. The figures replace "
        "csimulation.{md,json} in --output.",
    )
    parser.add_argument("configs", nargs="+", metavar="CONFIG", help=CONFIG)
    parser.add_argument("--build", type=Path, default=Path("build"), help="folder for the projects (default: build)")
    add_models(parser)
    parser.add_argument("--output", type=Path, default=Path("benchmarks"), help="output folder (default: benchmarks)")


def run(args: argparse.Namespace) -> int:
    """Measure every model and write the table."""
    rows = [_measure(source, args.build, args.models) for source in args.configs]
    args.output.mkdir(parents=True, exist_ok=True)
    write_atomically(args.output / "csimulation.json", json.dumps(rows, indent=2) + "\n", FirmwareError)
    table = _table(rows)
    write_atomically(args.output / "csimulation.md", table, FirmwareError)
    print(table, end="")
    return 0


def _measure(source: str, build: Path, models: Path | None) -> dict[str, Any]:
    from nanopelican_hls.config import load_config
    from nanopelican_hls.flows.csimulation import compile, predict, trace
    from nanopelican_hls.hls.project import convert
    from nanopelican_hls.jets import port_values, read_jets, sample_path

    config = load_config(source)
    qonnx = trained_file(source, config, models, ".onnx")
    firmware = convert(qonnx, build / config.name / "hls", **config.firmware.hls_options())
    start = time.monotonic()
    firmware = compile(firmware)
    compile_seconds = time.monotonic() - start
    ports = port_values(read_jets(sample_path()), config.network)
    cores = len(os.sched_getaffinity(0))
    calls: Mapping[str, Callable[[], object]] = {
        "logits_one_core": lambda: predict(firmware, ports, threads=1),
        "logits_all_cores": lambda: predict(firmware, ports, threads=cores),
        "all_tensors_one_core": lambda: trace(firmware, ports, threads=1),
    }
    events = len(next(iter(ports.values())))
    return {
        "model": config.name,
        "n_constituents": config.network.n_constituents,
        "channels": config.network.channels,
        "cores": cores,
        "events": events,
        "compile_seconds": round(compile_seconds, 1),
        "events_per_second": {name: round(events / _median_seconds(call)) for name, call in calls.items()},
    }


def _median_seconds(call: Callable[[], object]) -> float:
    call()  # warm-up: loads the library, touches the memory
    seconds = []
    for _ in range(REPEATS):
        start = time.monotonic()
        call()
        seconds.append(time.monotonic() - start)
    return statistics.median(seconds)


def _table(rows: list[dict[str, Any]]) -> str:
    events, cores = rows[0]["events"], rows[0]["cores"]
    lines = [
        "# Speed of the C-simulation",
        "",
        f"`make bench`: events per second on {events:,} jets, median of {REPEATS} runs, {cores} cores.",
        "",
        "| model | N | C | compile, s | logits, one core | logits, all cores | all tensors, one core |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        speeds = " | ".join(f"{value:,}" for value in row["events_per_second"].values())
        lines.append(
            f"| {row['model']} | {row['n_constituents']} | {row['channels']} | {row['compile_seconds']} | {speeds} |"
        )
    return "\n".join(lines) + "\n"

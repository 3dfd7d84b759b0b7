"""``nanopelican bench``: speed of the C-simulation and of the emulator on this machine."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import emit, show_markdown
from nanopelican_hls.cli.trained import CONFIG, add_models, read_trained
from nanopelican_hls.errors import ConfigError, FirmwareError
from nanopelican_hls.files import make_folder, write_atomically
from nanopelican_hls.markdown import table

if TYPE_CHECKING:
    from nanopelican_hls.config import Config
    from nanopelican_hls.contract.program import Program

T = TypeVar("T")
Arrays = Mapping[str, Any]

#: number of runs; each figure is that of the best, as other programs run too
REPEATS = 5
#: a fast call is repeated in a run until it has taken this long
LEAST_SECONDS = 0.2
#: jets for the HLS C++, which is slow and whose trace is large
HLS_JETS = 2_000


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "bench",
        help="measure the speed of the C-simulation and the emulator (benchmarks/csimulation.{md,json})",
        description="Measure how fast the compiled C++ runs the shipped sample on this machine: the HLS C++, and the "
        "plain-integer emulator. The figures replace csimulation.{md,json} in --output.",
    )
    parser.add_argument("configs", nargs="*", metavar="CONFIG", help=CONFIG)
    parser.add_argument(
        "--untrained",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="more configurations, of networks that need no training: their weights are random",
    )
    parser.add_argument("--build", type=Path, default=Path("build"), help="folder for the projects (default: build)")
    add_models(parser)
    parser.add_argument("--output", type=Path, default=Path("benchmarks"), help="output folder (default: benchmarks)")


def run(args: argparse.Namespace) -> int:
    """Measure every model and write the table."""
    from nanopelican_hls.benchmarks.untrained import random_program
    from nanopelican_hls.config import load_config
    from nanopelican_hls.flows.build_folder import locked

    if not [*args.configs, *args.untrained]:
        raise ConfigError(
            "is missing", where="CONFIG", remedy="name a configuration file, or a model of the zoo, such as trigger-n16"
        )
    trained = [(source, load_config(source)) for source in args.configs]
    untrained = [load_config(path) for path in args.untrained]
    programs = [read_trained(source, config, args.models) for source, config in trained]
    programs += [random_program(config) for config in untrained]
    rows = []
    for k, (config, program) in enumerate(zip([*(c for _, c in trained), *untrained], programs, strict=True)):
        with locked(args.build / config.name):
            rows.append(_measure(config, program, args.build / config.name) | {"trained": k < len(trained)})
    make_folder(args.output, FirmwareError)
    write_atomically(args.output / "csimulation.json", json.dumps(rows, indent=2) + "\n", FirmwareError)
    table = _table(rows)
    write_atomically(args.output / "csimulation.md", table, FirmwareError)
    show_markdown(table)
    emit(args, {"models": rows})
    return ExitStatus.OK


def _measure(config: Config, program: Program, build: Path) -> dict[str, Any]:
    from nanopelican_hls.contract.execution import port_arrays
    from nanopelican_hls.emulator.project import EmulatorTarget
    from nanopelican_hls.flows.csimulation import compile, predict, trace
    from nanopelican_hls.flows.emulation import compile_emulator
    from nanopelican_hls.hls.project import convert
    from nanopelican_hls.jets import port_values, read_jets, sample_path

    converted = convert(program, build / "hls", **config.firmware.hls_options())
    sources = EmulatorTarget().write(program, build / "emulator")
    firmware, compile_seconds = _timed(lambda: compile(converted))
    emulator, emulator_seconds = _timed(lambda: compile_emulator(sources))
    ports = port_arrays(program, port_values(read_jets(sample_path()), config.network))
    integers = emulator.port_integers(ports)
    few = {name: values[:HLS_JETS] for name, values in ports.items()}
    cores = len(os.sched_getaffinity(0))
    one_core: Mapping[str, tuple[Arrays, Callable[[Any], object]]] = {
        "logits_one_core": (few, lambda jets: predict(firmware, jets, threads=1)),
        "all_tensors_one_core": (few, lambda jets: trace(firmware, jets, threads=1)),
        "emulator_real_one_core": (ports, lambda jets: emulator.run(jets, traced=False)),
        "emulator_integers_one_core": (integers, lambda jets: emulator.run(jets, traced=False)),
    }
    speeds = {name: _speed(jets, call, time.process_time) for name, (jets, call) in one_core.items()}
    all_cores = _speed(few, lambda jets: predict(firmware, jets, threads=cores), time.monotonic)
    return {
        "model": config.name,
        "n_constituents": config.network.n_constituents,
        "channels": config.network.channels,
        "cores": cores,
        "events": len(next(iter(ports.values()))),
        "hls_events": len(next(iter(few.values()))),
        "compile_seconds": round(compile_seconds, 1),
        "emulator_compile_seconds": round(emulator_seconds, 1),
        "events_per_second": {name: round(speed) for name, speed in speeds.items()}
        | {"logits_all_cores": round(all_cores)},
        "emulator_ratio": round(speeds["emulator_real_one_core"] / speeds["logits_one_core"]),
    }


def _timed(call: Callable[[], T]) -> tuple[T, float]:
    start = time.monotonic()
    result = call()
    return result, time.monotonic() - start


def _speed(jets: Arrays, call: Callable[[Any], object], clock: Callable[[], float]) -> float:
    """Jets a second, by a clock."""
    call(jets)  # warm-up: loads the library, touches the memory
    seconds = []
    for _ in range(REPEATS):
        start, calls = clock(), 0
        while calls == 0 or clock() - start < LEAST_SECONDS:
            call(jets)
            calls += 1
        seconds.append((clock() - start) / calls)
    return len(next(iter(jets.values()))) / min(seconds)


def _table(rows: list[dict[str, Any]]) -> str:
    first = rows[0]
    head = ["model", "N", "C", "compile, s", "logits, one core", "logits, all cores", "all tensors, one core"]
    firmware = [
        [row["compile_seconds"], *_speeds(row, "logits_one_core", "logits_all_cores", "all_tensors_one_core")]
        for row in rows
    ]
    emulator = [
        [
            row["emulator_compile_seconds"],
            *_speeds(row, "emulator_real_one_core", "emulator_integers_one_core"),
            f"{row['emulator_ratio']:,}",
        ]
        for row in rows
    ]
    paragraphs = [
        "# Speed of the C-simulation and the emulator",
        f"`make bench`: jets a second, the best of {REPEATS} runs on {first['cores']} cores; on one core by processor "
        f"time. The HLS C++ runs {first['hls_events']:,} jets, the emulator {first['events']:,}.",
        "## HLS C++",
        table(head, [_named(row, cells) for row, cells in zip(rows, firmware, strict=True)]),
        "## Plain-integer emulator",
        "Logits on one core, from arrays in memory: of real numbers (float64), which the emulator rounds and saturates "
        "as the ports do, or of the integers of the ports. The ratio is that of the first to the HLS C++, on one core.",
        table(
            ["model", "N", "C", "compile, s", "real numbers", "integers", "ratio"],
            [_named(row, cells) for row, cells in zip(rows, emulator, strict=True)],
        ),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _named(row: Mapping[str, Any], cells: list[Any]) -> list[str]:
    name = row["model"] + ("" if row["trained"] else " (random weights)")
    return [name, *map(str, (row["n_constituents"], row["channels"], *cells))]


def _speeds(row: Mapping[str, Any], *names: str) -> list[str]:
    return [f"{row['events_per_second'][name]:,}" for name in names]

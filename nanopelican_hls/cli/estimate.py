"""``nanopelican estimate``: latency and resources in seconds, without any EDA tool."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls import zoo
from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.output import emit, show_listing
from nanopelican_hls.cli.progress import progress
from nanopelican_hls.cli.synth import add_arithmetic
from nanopelican_hls.cli.trained import add_models, read_trained
from nanopelican_hls.errors import ContractError, SynthesisError

if TYPE_CHECKING:
    from nanopelican_hls.config import FirmwareConfig
    from nanopelican_hls.contract.program import Program
    from nanopelican_hls.estimate.estimate import Calibration, Estimate

DESCRIPTION = (
    "Estimate latency and resources from the pieces of the RTL, without any EDA tool; or calibrate the estimate."
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "estimate", help="estimate latency and resources in seconds", description=DESCRIPTION
    )
    parser.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help="configuration, QONNX file or checkpoint (.yaml, .onnx, .pt), or name of a model of the zoo",
    )
    parser.add_argument("--clock", type=float, help="clock period in ns (default: from the configuration, or 2.7777)")
    parser.add_argument(
        "--interval", type=int, help="initiation interval in clock cycles (default: from the configuration, or 1)"
    )
    add_arithmetic(parser)
    add_models(parser)
    parser.add_argument(
        "--calibrate",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="instead: fit to results of `bench-synth` or `--map`, and write --calibration",
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="what --calibrate wrote (default: the one of the package; to be written: calibration.json)",
    )
    parser.add_argument(
        "--map", type=Path, metavar="FILE", help="instead: map untrained networks with Yosys, as input of --calibrate"
    )
    parser.add_argument(
        "--build", type=Path, default=Path("build"), help="folder for the RTL of --map (default: build)"
    )


def run(args: argparse.Namespace) -> int:
    """Exit status 0."""
    if sum(map(bool, (args.model, args.calibrate, args.map))) != 1:
        raise SynthesisError(
            "give one of MODEL, --calibrate and --map",
            where="nanopelican estimate",
            remedy="nanopelican estimate trigger-n16",
        )
    if args.map:
        _map(args)
    elif args.calibrate:
        _calibrate(args, args.calibration or Path("calibration.json"))
    else:
        _estimate(args)
    return ExitStatus.OK


def _estimate(args: argparse.Namespace) -> None:
    from nanopelican_hls.estimate.estimate import CALIBRATION, Calibration, estimate
    from nanopelican_hls.rtl import open_settings

    firmware, program = _read(args.model, args.models)
    clock = firmware.clock_period_ns if args.clock is None else args.clock
    interval = firmware.interval if args.interval is None else args.interval
    if not 0 < clock < math.inf:
        raise SynthesisError(
            f"must be a positive number of ns, not {clock:g}",
            where="clock",
            remedy="give the clock period, such as --clock 2.5",
        )
    streamed = firmware.streamed if args.streamed is None else args.streamed
    settings = open_settings(clock, args.products or "dsp", args.winograd, args.most_dsps, interval, streamed)
    found = estimate(program, settings, Calibration.read(args.calibration or CALIBRATION))
    show_listing(f"{args.model}: estimate, no tool was run", _described(clock, interval, found))
    print(f"  {_origin(found.calibration)}")
    errors = found.calibration
    emit(
        args,
        {
            "model": args.model,
            "clock_period_ns": clock,
            "latency_cycles": found.latency_cycles,
            "latency_ns": found.latency_cycles * clock,
            "interval_asked": interval,
            "initiation_interval": found.interval,
            "lut": found.lut,
            "ff": found.ff,
            "dsp": found.dsp,
            "mean_error_percent": errors.mean_error_percent,
            "largest_error_percent": errors.largest_error_percent,
            "calibration": _origin(errors),
        },
    )


def _read(source: str, models: Path | None) -> tuple[FirmwareConfig, Program]:
    """Settings of the firmware, and program."""
    from nanopelican_hls.config import FirmwareConfig, load_config
    from nanopelican_hls.contract.program import read_program

    if source.endswith(".onnx"):  # the file does not contain any
        return FirmwareConfig(), read_program(zoo.find(source, ".onnx", ContractError))
    if source.endswith(".pt"):
        from nanopelican_hls.network.model import export_qonnx, load_model

        trained = load_model(source)
        return trained.config.firmware, export_qonnx(trained)
    config = load_config(source)
    return config.firmware, read_trained(source, config, models)


def _described(clock: float, interval: int, found: Estimate) -> dict[str, str]:
    errors = found.calibration

    def text(resource: str, value: int) -> str:
        mean, largest = errors.mean_error_percent[resource], errors.largest_error_percent[resource]
        return f"{value:,} (mean error {mean}%, at most {largest}%)"

    return {
        "latency": f"{found.latency_cycles} cycles of {clock:g} ns, {found.latency_cycles * clock:.1f} ns",
        "initiation interval": f"{found.interval} cycle{'s' * (found.interval > 1)}"
        + (f", as {interval} would take no less hardware" if found.interval < interval else ""),
        "LUT": text("lut", found.lut),
        "FF": text("ff", found.ff),
        "DSP": f"{found.dsp:,} (exact)",
    }


def _origin(calibration: Calibration) -> str:
    return f"calibrated on {calibration.configurations} configurations ({calibration.source}); errors: leave-one-out"


def _calibrate(args: argparse.Namespace, output: Path) -> None:
    from nanopelican_hls.estimate.calibration import calibrate, read_mapped, write_calibration

    calibration = calibrate(read_mapped(args.calibrate))
    write_calibration(calibration, output)
    for resource, coefficients in calibration.coefficients.items():
        terms = ", ".join(f"{value:g} {name}" for name, value in coefficients.items())
        mean, largest = calibration.mean_error_percent[resource], calibration.largest_error_percent[resource]
        print(f"{resource.upper()}: {terms}; mean error {mean}%, at most {largest}%")
    print(f"DSP: exact; {_origin(calibration)}")
    print(f"written: {output}")
    emit(args, asdict(calibration))


def _map(args: argparse.Namespace) -> None:
    from nanopelican_hls.benchmarks.untrained import map_untrained

    def shown(networks: Sequence[Any]) -> Iterator[Any]:
        with progress(args, "mapping", len(networks), "networks") as bar:
            for network in networks:
                yield network
                bar.update()

    map_untrained(args.map, args.build / "estimate", shown)
    print(f"written: {args.map}")
    emit(args, {"written": args.map})

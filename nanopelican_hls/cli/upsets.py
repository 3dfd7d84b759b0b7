"""``nanopelican upsets``: what flipped bits do to the decisions of a trained model's Verilog."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import positive
from nanopelican_hls.cli.output import announce, emit, show_markdown
from nanopelican_hls.cli.synth import add_arithmetic, add_tmr
from nanopelican_hls.cli.trained import CONFIG, add_models, add_result, read_trained, with_result_of

DESCRIPTION = (
    "Write the Verilog of a trained model, flip bits of its registers in simulation and of its parameters in the "
    "integer graph, and count the decisions that change (docs/upsets.md)."
)
#: number of jets, and of upsets of each class of registers
EVENTS, UPSETS = 2_000, 2_000
#: working point of the model's card, if neither the command nor the configuration has a threshold
WORKING_POINT = "50%"
#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, name: args.build / name,
    outputs=("upsets.json",),
    sources={"config": ".yaml"},
    trained=(".onnx",),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "upsets", help="flip bits of registers and weights, and count changed decisions", description=DESCRIPTION
    )
    parser.add_argument("config", metavar="CONFIG", help=CONFIG)
    parser.add_argument("--clock", type=float, help="clock period in ns (default: from the configuration)")
    parser.add_argument(
        "--interval", type=int, help="initiation interval in clock cycles (default: from the configuration)"
    )
    add_arithmetic(parser)
    add_tmr(parser)
    parser.add_argument("--jets", type=Path, help="file of jets (default: the shipped sample)")
    parser.add_argument(
        "--events", type=positive, default=EVENTS, help=f"use the first EVENTS jets (default: {EVENTS:,})"
    )
    parser.add_argument(
        "--upsets", type=positive, default=UPSETS, help=f"upsets of each class of registers (default: {UPSETS:,})"
    )
    parser.add_argument("--build", type=Path, default=Path("build"), help="output folder (default: build)")
    add_result(parser)
    add_models(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0; 1 if a jet differs from QONNX execution without any upset."""
    from nanopelican_hls.config import load_config

    config = load_config(args.config)
    if args.threshold is None and config.firmware.threshold is None:
        args.threshold = WORKING_POINT
    config = with_result_of(args, args.config, config)
    asked = {"clock_period_ns": args.clock, "interval": args.interval, "streamed": args.streamed}
    firmware = replace(config.firmware, **{name: value for name, value in asked.items() if value is not None})
    program = read_trained(args.config, config, args.models)

    from nanopelican_hls.contract.execution import execute
    from nanopelican_hls.flows.build_folder import locked
    from nanopelican_hls.flows.choice import load_open_flow
    from nanopelican_hls.flows.upsets import constant_upsets, state_upsets
    from nanopelican_hls.flows.upsets_report import UpsetsReport, write_report
    from nanopelican_hls.flows.verilator import compile_simulation, simulate
    from nanopelican_hls.jets import port_values, read_jets, sample_path
    from nanopelican_hls.rtl import generate_rtl, open_settings

    load_open_flow()
    arithmetic = args.products or "dsp", args.winograd, args.most_dsps
    settings = open_settings(firmware.clock_period_ns, *arithmetic, firmware.interval, firmware.streamed, args.tmr)
    jets = port_values(read_jets(args.jets or sample_path(), args.events), config.network)
    tensors = execute(program, jets)
    build = args.build / config.name
    with locked(build):
        announce(args, "tracing, Verilog (alkaid)")
        project = generate_rtl(program, build / "upsets", settings=settings)
        announce(args, "simulation (Verilator)")
        compile_simulation(project, upsets=True)
        right = simulate(program, project, tensors)
        state = state_upsets(project, tensors, args.upsets, progress=lambda place: announce(args, f"upsets: {place}"))
        # one wrong copy of three is outvoted
        triplicated = args.tmr in ("weights", "all")
        constants = [] if triplicated else constant_upsets(program, tensors)
        report = UpsetsReport(
            model=config.name,
            events=right.events,
            interval=project.interval,
            latency_cycles=project.latency_cycles,
            products=project.products,
            tmr=project.tmr,
            threshold=float(firmware.threshold or 0.0),
            mismatches=right.mismatches,
            state=tuple(state),
            constants=tuple(constants),
            program_sha256=program.checksum,
            command=args.command_line,
        )
        written = write_report(report, build)
    show_markdown(report.page())
    print("written:", ", ".join(map(str, written)))
    emit(args, report.as_json())
    return ExitStatus.of_check(right.mismatches)

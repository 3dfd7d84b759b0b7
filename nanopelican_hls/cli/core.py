"""``nanopelican core``: the Verilog of a trained model with an AXI4-Stream shell, packaged, with a test bench."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import not_negative, positive
from nanopelican_hls.cli.output import emit, show_listing
from nanopelican_hls.cli.synth import add_arithmetic
from nanopelican_hls.cli.trained import CONFIG, add_models, add_result, read_trained, with_result_of
from nanopelican_hls.errors import RtlError

if TYPE_CHECKING:
    from nanopelican_hls.core.emp import EmpSettings
    from nanopelican_hls.core.project import CoreSettings
    from nanopelican_hls.core.shell import Shell

DESCRIPTION = (
    "Write a core: Verilog with an AXI4-Stream shell, port map, description for FuseSoC, script that packs it for "
    "Vivado, and a cocotb test bench (docs/core.md)."
)
#: number of jets, and of hostile events, in the test bench
JETS = 500


#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, name: args.build / name,
    outputs=("core/**/*",),
    sources={"config": ".yaml"},
    trained=(".onnx",),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "core", help="write a core with AXI4-Stream, packaged, with a test bench", description=DESCRIPTION
    )
    parser.add_argument("config", metavar="CONFIG", help=CONFIG)
    parser.add_argument("--clock", type=float, help="clock period in ns (default: from the configuration)")
    parser.add_argument(
        "--interval", type=int, help="initiation interval in clock cycles (default: from the configuration)"
    )
    add_arithmetic(parser)
    parser.add_argument(
        "--top", default="nanopelican", help="name of the pipeline, prefix of all (default: nanopelican)"
    )
    parser.add_argument("--core-version", default="1.0.0", help="version for package managers (default: 1.0.0)")
    parser.add_argument(
        "--sideband", type=not_negative, default=8, metavar="BITS", help="width of TUSER, 1 or more (default: 8)"
    )
    parser.add_argument(
        "--words",
        metavar="FORMAT",
        help="take candidate and jet words of this format, such as cms_correlator (default: the ports, concatenated)",
    )
    parser.add_argument("--jets", type=Path, help="file of jets for the test bench (default: the shipped sample)")
    parser.add_argument(
        "--events",
        type=positive,
        default=JETS,
        help=f"jets of the test bench, and hostile events, of which there are 20 at least (default: {JETS})",
    )
    parser.add_argument("--build", type=Path, default=Path("build"), help="output folder (default: build)")
    parser.add_argument(
        "--simulate",
        action="store_true",
        help="run the test bench (FuseSoC, Icarus Verilog) and draw waveform.svg; exit status 1 if a test fails",
    )
    _add_emp(parser)
    add_result(parser)
    add_models(parser)


def _add_emp(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--emp", action="store_true", help="add a payload of the EMP framework (docs/core.md)")
    parser.add_argument(
        "--links",
        type=positive,
        metavar="N",
        help="EMP: number of links that bring jets (default: as many as a word of the core takes)",
    )
    parser.add_argument("--first-link", type=not_negative, metavar="N", help="EMP: the lowest of them (default: 0)")
    parser.add_argument(
        "--output-link", type=not_negative, metavar="N", help="EMP: link that results leave on (default: 0)"
    )
    parser.add_argument(
        "--frame", type=positive, metavar="WORDS", help="EMP: words of a link for each frame (default: 54)"
    )
    parser.add_argument(
        "--jets-per-frame", type=positive, metavar="N", help="EMP: jets in a frame (default: as many as fit)"
    )


def _emp(args: argparse.Namespace) -> EmpSettings | None:
    from nanopelican_hls.core.emp import EmpSettings

    options = {
        "links": args.links,
        "first_link": args.first_link,
        "output_link": args.output_link,
        "frame": args.frame,
        "jets": args.jets_per_frame,
    }
    given = {name: value for name, value in options.items() if value is not None}
    if given and not args.emp:
        raise RtlError("are options of the EMP payload", where="links and frames", remedy="add --emp")
    return EmpSettings(**given) if args.emp else None


def run(args: argparse.Namespace) -> int:
    """Exit status 0; 1 if the test bench fails."""
    from nanopelican_hls.config import load_config
    from nanopelican_hls.contract.execution import execute, joined, port_arrays
    from nanopelican_hls.core.project import CoreSettings, write_core
    from nanopelican_hls.flows.build_folder import locked
    from nanopelican_hls.flows.core_simulation import simulate_core
    from nanopelican_hls.jets import port_values, read_jets, sample_path
    from nanopelican_hls.proof.hostile import hostile_events
    from nanopelican_hls.rtl import open_settings
    from nanopelican_hls.rtl.supported import constituents_sharing
    from nanopelican_hls.topology.level1_format import find_format

    config = with_result_of(args, args.config, load_config(args.config))
    asked = {"clock_period_ns": args.clock, "interval": args.interval, "streamed": args.streamed}
    firmware = replace(config.firmware, **{name: value for name, value in asked.items() if value is not None})
    arithmetic = args.products or "dsp", args.winograd, args.most_dsps
    hardware = open_settings(firmware.clock_period_ns, *arithmetic, firmware.interval, firmware.streamed)
    level1 = find_format(args.words) if args.words else None
    settings = CoreSettings(args.top, args.core_version, args.sideband, hardware, level1, _emp(args))
    program = read_trained(args.config, config, args.models)
    constituents_sharing(program, firmware.interval)  # generation checks it too, but only once there are events
    jets = port_arrays(program, port_values(read_jets(args.jets or sample_path(), args.events), config.network))
    hostile = hostile_events(program, lambda events: execute(program, events), args.events).ports
    tensors = execute(program, joined(jets, port_arrays(program, hostile)))
    folder = args.build / config.name
    with locked(folder):
        shell = write_core(program, folder / "core", settings, tensors)
        rows = _summary(shell, folder / "core", firmware.clock_period_ns, settings)
        show_listing(f"{shell.top} in {folder / 'core'}", rows)
        simulation = None
        if args.simulate:
            simulation = simulate_core(folder / "core", folder / "core-simulation", settings.top, settings.version)
            show_listing("simulation", simulation.described())
    emit(
        args,
        {
            "top": shell.top,
            "folder": folder / "core",
            "event_words": shell.events.words,
            "word_bits": shell.events.width,
            "result_bits": shell.results.width,
            "interval": shell.project.interval,
            "latency_cycles": shell.latency_cycles,
            "clock_period_ns": firmware.clock_period_ns,
            "simulation": simulation,
        },
    )
    return ExitStatus.of_check(simulation and simulation.failed)


def _summary(shell: Shell, folder: Path, clock: float, settings: CoreSettings) -> dict[str, str]:
    from nanopelican_hls.core.emp import Payload

    words, project = shell.events.words, shell.project
    name = f"nanopelican:hls:{project.top}:{settings.version}"
    rows = {
        "events": f"{words} word{'s' * (words > 1)} of {shell.events.width} bits, at most one "
        + ("in every cycle" if project.interval == 1 else f"every {project.interval} cycles"),
        "results": f"a word of {shell.results.width} bits, and {shell.user_bits} sideband bits",
        "latency": f"{shell.latency_cycles} cycles from the last word, {shell.latency_cycles * clock:.1f} ns",
        "port map": str(folder / "port_map.md"),
        "test bench": f"fusesoc --cores-root {folder} run --target=sim {name}",
    }
    if settings.emp:
        payload = Payload(shell, settings.emp)
        rows["EMP payload"] = (
            f"{payload.jets} jets in a frame of {settings.emp.frame} words of {payload.links} "
            f"link{'s' * (payload.links > 1)}, one every {payload.stride} clock{'s' * (payload.stride > 1)}; "
            f"{folder / 'emp'}"
        )
    return rows

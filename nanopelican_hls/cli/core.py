"""``nanopelican core``: the Verilog of a trained model with an AXI4-Stream shell, packaged, with a test bench."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.cli.numbers import not_negative, positive
from nanopelican_hls.cli.synth import add_arithmetic
from nanopelican_hls.cli.trained import CONFIG, add_models, add_result, read_trained, with_result_of

if TYPE_CHECKING:
    from nanopelican_hls.core.frame import Arrays
    from nanopelican_hls.core.shell import Shell

DESCRIPTION = (
    "Write a core: Verilog with an AXI4-Stream shell, port map, description for FuseSoC, script that packs it for "
    "Vivado, and a cocotb test bench (docs/core.md)."
)
#: number of jets, and of hostile events, in the test bench
JETS = 500


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
    add_result(parser)
    add_models(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0."""
    from nanopelican_hls.config import load_config
    from nanopelican_hls.contract.execution import execute, port_arrays
    from nanopelican_hls.core.project import CoreSettings, write_core
    from nanopelican_hls.flows.build_folder import locked
    from nanopelican_hls.jets import port_values, read_jets, sample_path
    from nanopelican_hls.proof.hostile import hostile_events
    from nanopelican_hls.rtl import open_settings
    from nanopelican_hls.topology.level1_format import find_format

    config = with_result_of(args, args.config, load_config(args.config))
    asked = {"clock_period_ns": args.clock, "interval": args.interval, "streamed": args.streamed}
    firmware = replace(config.firmware, **{name: value for name, value in asked.items() if value is not None})
    arithmetic = args.products or "dsp", args.winograd, args.most_dsps
    hardware = open_settings(firmware.clock_period_ns, *arithmetic, firmware.interval, firmware.streamed)
    level1 = find_format(args.words) if args.words else None
    settings = CoreSettings(args.top, args.core_version, args.sideband, hardware, level1)
    program = read_trained(args.config, config, args.models)
    jets = port_arrays(program, port_values(read_jets(args.jets or sample_path(), args.events), config.network))
    hostile = hostile_events(program, lambda events: execute(program, events), args.events).ports
    tensors = execute(program, _joined(jets, port_arrays(program, hostile)))
    folder = args.build / config.name
    with locked(folder):
        shell = write_core(program, folder / "core", settings, tensors)
    print(_summary(shell, folder / "core", firmware.clock_period_ns, settings.version))
    return 0


def _joined(first: Arrays, second: Arrays) -> Arrays:
    import numpy as np

    return {name: np.concatenate([first[name], second[name]]) for name in first}


def _summary(shell: Shell, folder: Path, clock: float, version: str) -> str:
    words, project = shell.events.words, shell.project
    rows = {
        "events": f"{words} word{'s' * (words > 1)} of {shell.events.width} bits, at most one "
        + ("in every cycle" if project.interval == 1 else f"every {project.interval} cycles"),
        "results": f"a word of {shell.results.width} bits, and {shell.user_bits} sideband bits",
        "latency": f"{shell.latency_cycles} cycles from the last word, {shell.latency_cycles * clock:.1f} ns",
        "port map": str(folder / "port_map.md"),
        "test bench": f"fusesoc --cores-root {folder} run --target=sim nanopelican:hls:{project.top}:{version}",
    }
    width = max(map(len, rows))
    return "\n".join([f"{shell.top} in {folder}", *(f"  {key.ljust(width)}  {value}" for key, value in rows.items())])

"""``nanopelican synth``: latency and resources of a trained model's firmware."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.numbers import not_negative
from nanopelican_hls.cli.output import announce, emit, show_listing
from nanopelican_hls.cli.trained import CONFIG, add_models, add_result, read_trained, with_result_of
from nanopelican_hls.errors import SynthesisError

if TYPE_CHECKING:
    from nanopelican_hls.config import Config
    from nanopelican_hls.contract.program import Program
    from nanopelican_hls.flows.device import Device
    from nanopelican_hls.flows.report import SynthesisReport

DESCRIPTION = (
    "Synthesise the firmware of a trained model: with AMD's tools if they are on the PATH, otherwise with open ones."
)
#: last stage of the vendor flow, by default
DEFAULT_STAGE = "vsynth"
#: number of jets in the co-simulation of the vendor flow
COSIM_EVENTS = 500


#: options that only one flow has, as attributes
OF_FLOW = {
    "vendor": ("stage", "clock_uncertainty", "export"),
    "open": ("products", "winograd", "direct", "most_dsps", "streamed", "tmr"),
}
#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, name: args.build / name,
    outputs=("synth.json", "rtl/src/*"),
    sources={"config": ".yaml"},
    trained=(".onnx",),
)


def add_arithmetic(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `rtl.open_settings`, except the clock period."""
    group = parser.add_argument_group("open flow")
    group.add_argument("--products", choices=("dsp", "fabric"), help="multipliers of momenta (default: dsp)")
    form = group.add_mutually_exclusive_group()
    form.add_argument("--winograd", action="store_true", default=None, help="two products per pair (default with DSPs)")
    form.add_argument(
        "--direct",
        action="store_false",
        dest="winograd",
        default=None,
        help="four products per pair (default in fabric)",
    )
    group.add_argument(
        "--streamed",
        action=argparse.BooleanOptionalAction,
        help="constituents come in over the cycles of an interval, not all at once (default: from the configuration)",
    )
    group.add_argument(
        "--most-dsps", type=not_negative, help="no more DSPs than this, other products in LUTs (default: no limit)"
    )


def add_tmr(parser: argparse.ArgumentParser) -> None:
    """Add the choice of a triplicated form."""
    parser.add_argument(
        "--tmr",
        choices=("none", "weights", "state", "all"),
        default="none",
        help="Verilog with three copies and voters: of what holds weights, of all registers, of everything "
        "(docs/upsets.md; default: none)",
    )


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("synth", help="synthesise a model: latency and resources", description=DESCRIPTION)
    parser.add_argument("config", metavar="CONFIG", help=CONFIG)
    parser.add_argument("--part", help="short name or ordering code (default: from the configuration)")
    parser.add_argument("--flow", choices=("vendor", "open"), help="default: vendor if its tools are on the PATH")
    parser.add_argument(
        "--stage",
        help="last stage of the vendor flow: csynth (HLS estimates), cosim (csynth, RTL simulation), vsynth (csynth, "
        f"logic synthesis), impl (vsynth, placement and routing) (default: {DEFAULT_STAGE})",
    )
    parser.add_argument("--clock", type=float, help="clock period in ns (default: from the configuration)")
    parser.add_argument(
        "--clock-uncertainty",
        type=float,
        help="share of the clock period that HLS leaves for routing, in %% (default: 27)",
    )
    parser.add_argument(
        "--interval", type=int, help="initiation interval in clock cycles (default: from the configuration)"
    )
    add_arithmetic(parser)
    add_tmr(parser)
    parser.add_argument("--export", action="store_true", help="vendor flow: also package the design as an IP")
    parser.add_argument("--jets", type=Path, help="file of jets for RTL simulation (default: the shipped sample)")
    parser.add_argument("--events", type=int, help="simulate only the first EVENTS jets (default: all; 500 in cosim)")
    parser.add_argument("--build", type=Path, default=Path("build"), help="output folder (default: build)")
    add_result(parser)
    add_models(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 if the simulated RTL differs from QONNX execution."""
    # heavy imports only after the arguments have been checked
    from nanopelican_hls.config import load_config
    from nanopelican_hls.flows.build_folder import locked
    from nanopelican_hls.flows.choice import choose_flow
    from nanopelican_hls.flows.report import described, write_report

    if args.events is not None and args.events < 1:
        raise SynthesisError(
            f"must be at least 1, not {args.events}",
            where="events",
            remedy="leave it out for all jets, or ask for 1 or more",
        )
    config = with_result_of(args, args.config, load_config(args.config))
    build = args.build / config.name
    flow = choose_flow(args.flow or ("vendor" if _given(args, OF_FLOW["vendor"]) else None))
    _refuse_options_of_others(args, flow)
    program = read_trained(args.config, config, args.models)
    with locked(build):
        report = _vendor(args, config, program, build) if flow == "vendor" else _open(args, config, program, build)
        report = replace(report, program_sha256=program.checksum, command=args.command_line)
        write_report(report, build / "synth.json")
    show_listing(*described(report))
    emit(args, report.as_json())
    return ExitStatus.of_check(report.rtl_vs_qonnx and report.rtl_vs_qonnx.mismatches)


def _given(args: argparse.Namespace, options: tuple[str, ...]) -> list[str]:
    """Which of these options are there, and ask for something."""
    values = vars(args) | {"direct": args.winograd is False, "tmr": None if args.tmr == "none" else args.tmr}
    return [option for option in options if values[option] is not None and values[option] is not False]


def _refuse_options_of_others(args: argparse.Namespace, flow: str) -> None:
    for other, options in OF_FLOW.items():
        for option in _given(args, options) if other != flow else ():
            raise SynthesisError(
                f"is for the {other} flow, and this is the {flow} one",
                where=f"--{option.replace('_', '-')}",
                remedy=f"leave it out, or use --flow {other}",
            )


def _vendor(args: argparse.Namespace, config: Config, program: Program, build: Path) -> SynthesisReport:
    from nanopelican_hls.flows.vendor import synthesise
    from nanopelican_hls.flows.vendor_project import CLOCK_UNCERTAINTY_PERCENT, VendorSettings

    settings = VendorSettings(
        device=_device(args, config),
        stage=args.stage or DEFAULT_STAGE,
        clock_uncertainty_percent=_or(args.clock_uncertainty, CLOCK_UNCERTAINTY_PERCENT),
        export=args.export,
    )
    ports = _ports(args, config, args.events or COSIM_EVENTS) if settings.stage == "cosim" else {}
    return synthesise(program, build, settings, ports, announce=lambda stage: announce(args, stage))


def _open(args: argparse.Namespace, config: Config, program: Program, build: Path) -> SynthesisReport:
    from nanopelican_hls.flows.choice import load_open_flow

    synthesise = load_open_flow()
    asked = {name: getattr(args, name) for name in ("products", "winograd", "most_dsps")}
    arithmetic = {name: value for name, value in asked.items() if value is not None}
    arithmetic["tmr"] = args.tmr
    arithmetic["streamed"] = _or(args.streamed, config.firmware.streamed)
    ports = _ports(args, config, args.events)
    device = _device(args, config)
    return synthesise(program, build, device, ports, announce=lambda stage: announce(args, stage), **arithmetic)


def _device(args: argparse.Namespace, config: Config) -> Device:
    from nanopelican_hls.flows.device import Device
    from nanopelican_hls.flows.parts import find_part

    return Device(
        part=find_part(args.part or config.firmware.part),
        clock_period_ns=_or(args.clock, config.firmware.clock_period_ns),
        interval=_or(args.interval, config.firmware.interval),
    )


def _or(given: Any, default: Any) -> Any:
    """The given value, even if it is 0, or the default if it is None."""
    return default if given is None else given


def _ports(args: argparse.Namespace, config: Config, events: int | None) -> Any:
    from nanopelican_hls.jets import port_values, read_jets, sample_path

    return port_values(read_jets(args.jets or sample_path(), events), config.network)

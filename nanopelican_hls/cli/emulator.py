"""``nanopelican emulator``: a trained model as models of CMSSW, in a folder that builds with make."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanopelican_hls.cli.exit_status import ExitStatus
from nanopelican_hls.cli.manifest import Record
from nanopelican_hls.cli.output import emit, show_listing
from nanopelican_hls.cli.trained import CONFIG, add_models, add_result, read_trained, with_result_of

if TYPE_CHECKING:
    from nanopelican_hls.cmssw.ports import Ports
    from nanopelican_hls.cmssw.project import CmsswModel

DESCRIPTION = (
    "Write emulators for the software of CMS (hls4mlEmulator::Model): a library around plain integers and one around "
    "the HLS C++, which build with make and g++ alone, and what the software stack needs (docs/cmssw.md)."
)


#: what manifest.json says of a run
RECORD = Record(
    folder=lambda args, name: args.build / name,
    outputs=("cmssw/**/*",),
    sources={"config": ".yaml"},
    trained=(".onnx",),
    files=(),
)


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "emulator", help="write emulators for CMSSW, the software of an experiment", description=DESCRIPTION
    )
    parser.add_argument("config", metavar="CONFIG", help=CONFIG)
    parser.add_argument(
        "--version", required=True, metavar="V", help="version of the model: a C++ identifier, such as v1 or v1_0"
    )
    parser.add_argument(
        "--name", help="name of the model: a C++ identifier (default: that of the configuration, with '_' for '-')"
    )
    parser.add_argument("--build", type=Path, default=Path("build"), help="output folder (default: build)")
    add_result(parser)
    add_models(parser)


def run(args: argparse.Namespace) -> int:
    """Exit status 0."""
    from nanopelican_hls.cmssw.project import CmsswModel, write_models
    from nanopelican_hls.config import load_config
    from nanopelican_hls.emulator.names import identifier
    from nanopelican_hls.flows.build_folder import locked

    config = with_result_of(args, args.config, load_config(args.config))
    model = CmsswModel(args.name if args.name is not None else identifier(config.name), args.version)
    program = read_trained(args.config, config, args.models)
    folder = args.build / config.name
    with locked(folder):
        ports = write_models(program, folder / "cmssw", model)
    libraries = {"plain integers": f"{model.integers}.so", "HLS C++": f"{model.hls}.so"}
    show_listing(f"{model.integers} in {folder / 'cmssw'}", _summary(ports, folder / "cmssw", model))
    emit(args, {"model": model.integers, "folder": folder / "cmssw", "libraries": libraries})
    return ExitStatus.OK


def _summary(ports: Ports, folder: Path, model: CmsswModel) -> dict[str, str]:
    if ports.level1 is None:
        takes = "its own types; not the common struct, as its ports are components"
    else:
        takes = f"its own types, or the common struct with {ports.n_candidates()} candidates or more"
    return {
        "libraries": f"{model.integers}.so (plain integers), {model.hls}.so (HLS C++)",
        "takes": takes,
        "interface": str(folder / "README.md"),
        "build": f"make -C {folder}",
    }

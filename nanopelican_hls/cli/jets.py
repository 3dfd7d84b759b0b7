"""``nanopelican jets``: generate and inspect jets; one module per subcommand, named ``jets_...``."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

#: subcommand modules ``jets_<name>``; each has ``add_parser(subparsers)`` and ``run(args) -> int``
SUBCOMMANDS = ("generate", "compare", "show")


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "jets", help="generate, compare and draw jets", description="Generate, compare and draw jets."
    )
    group = parser.add_subparsers(dest="jets_command", required=True, metavar="SUBCOMMAND")
    for name in SUBCOMMANDS:
        _module(name).add_parser(group)


def run(args: argparse.Namespace) -> int:
    status: int = _module(args.jets_command).run(args)
    return status


def _module(name: str) -> Any:
    return importlib.import_module(f"nanopelican_hls.cli.jets_{name}")

"""The subcommands, and where they are."""

from __future__ import annotations

import importlib
from typing import Any

#: subcommand modules; each has ``add_parser(subparsers)`` and ``run(args) -> int``, and ``RECORD`` if it writes a
#: manifest
COMMANDS = (
    "check",
    "csim",
    "prove",
    "synth",
    "upsets",
    "core",
    "emulator",
    "estimate",
    "bench",
    "bench-synth",
    "bench-ring",
    "bench-training",
    "train",
    "paper",
    "study",
    "precision",
    "rivals",
    "formula",
    "equivariance",
    "kinematics",
    "report",
    "rerun",
    "zoo",
    "jets",
    "completion",
)


def module_of(command: str) -> Any:
    """The module of a subcommand."""
    return importlib.import_module(f"nanopelican_hls.cli.{command.replace('-', '_')}")

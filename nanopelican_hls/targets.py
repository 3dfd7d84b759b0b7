"""All targets by name, imported on demand."""

from __future__ import annotations

import importlib

from nanopelican_hls.contract.target import Target
from nanopelican_hls.errors import FirmwareError

#: module and class; a new target is one more line
TARGETS = {
    "emulator": ("nanopelican_hls.emulator.project", "EmulatorTarget"),
    "hls": ("nanopelican_hls.hls.project", "HlsTarget"),
    "rtl": ("nanopelican_hls.rtl.project", "RtlTarget"),
}


def load_target(name: str) -> type[Target]:
    """The class of a target.

    Raises
    ------
    FirmwareError
        If there is no such target.
    """
    if name not in TARGETS:
        raise FirmwareError(f"no target {name!r}", where="targets.py", remedy=f"use one of {', '.join(TARGETS)}")
    module, kind = TARGETS[name]
    found: type[Target] = getattr(importlib.import_module(module), kind)
    return found

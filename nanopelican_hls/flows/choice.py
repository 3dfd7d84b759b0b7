"""Choice of the synthesis flow: AMD's tools if they are installed, otherwise open tools."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.contract.program import Program
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.flows.device import Device
from nanopelican_hls.flows.report import SynthesisReport
from nanopelican_hls.flows.vendor_tools import HLS_TOOLS

#: module with a function `synthesise`, which is an `OpenFlow`
OPEN_FLOW = "nanopelican_hls.flows.open"


class OpenFlow(Protocol):
    """The open flow, from a program to a report; it may write anything below `build`.

    `arithmetic` holds the options set by the user: ``products``, ``winograd``, ``most_dsps``.
    """

    def __call__(
        self,
        program: Program,
        build: Path,
        device: Device,
        ports: Mapping[str, NDArray[np.float64]],
        announce: Callable[[str], object],
        **arithmetic: Any,
    ) -> SynthesisReport: ...


def choose_flow(asked: str | None) -> str:
    """The requested flow; by default vendor, if AMD's HLS tool of any version is on the PATH, otherwise open."""
    return asked or ("vendor" if any(shutil.which(kind.name) for kind in HLS_TOOLS) else "open")


def load_open_flow() -> OpenFlow:
    """Load the open flow.

    Raises
    ------
    SynthesisError
        If the flow, or a package that it needs, is not installed.
    """
    names = " or ".join(kind.name for kind in HLS_TOOLS)
    remedy = f"put {names} on the PATH: source settings64.sh of the AMD installation"
    try:
        flow = getattr(importlib.import_module(OPEN_FLOW), "synthesise", None)
    except ImportError as error:
        raise SynthesisError(f"cannot be loaded ({error})", where="the open flow", remedy=remedy) from error
    if flow is None:
        raise SynthesisError("is not part of this version", where="the open flow", remedy=remedy)
    return cast(OpenFlow, flow)

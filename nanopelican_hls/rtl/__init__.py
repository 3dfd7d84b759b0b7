"""RTL without a vendor's tool: needs the optional extra ``rtl``."""

from __future__ import annotations

from nanopelican_hls.rtl.architecture import Settings, open_settings
from nanopelican_hls.rtl.counts import PieceCounts, piece_counts
from nanopelican_hls.rtl.flow import synthesise
from nanopelican_hls.rtl.mapping import MappedCells, map_rtl
from nanopelican_hls.rtl.project import RtlPort, RtlProject, generate_rtl, read_rtl
from nanopelican_hls.rtl.simulation import Simulation, compile_simulation, simulate
from nanopelican_hls.rtl.tracer import Trace, trace

__all__ = [
    "MappedCells",
    "PieceCounts",
    "RtlPort",
    "RtlProject",
    "Settings",
    "Simulation",
    "Trace",
    "compile_simulation",
    "generate_rtl",
    "map_rtl",
    "open_settings",
    "piece_counts",
    "read_rtl",
    "simulate",
    "synthesise",
    "trace",
]

"""Verilog generation without vendor tools (docs/rtl.md); needs the optional extra ``rtl``."""

from __future__ import annotations

from nanopelican_hls.rtl.counts import PieceCounts, piece_counts
from nanopelican_hls.rtl.project import Probe, RtlProject, RtlTarget, generate_rtl, read_rtl
from nanopelican_hls.rtl.settings import Settings, open_settings
from nanopelican_hls.rtl.tracer import Trace, trace

__all__ = [
    "PieceCounts",
    "Probe",
    "RtlProject",
    "RtlTarget",
    "Settings",
    "Trace",
    "generate_rtl",
    "open_settings",
    "piece_counts",
    "read_rtl",
    "trace",
]

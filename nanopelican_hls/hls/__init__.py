"""The contract as HLS C++, through hls4ml (docs/firmware.md)."""

from nanopelican_hls.hls.project import Firmware, compile, convert, predict, trace
from nanopelican_hls.hls.registration import register
from nanopelican_hls.hls.templates import templates_path
from nanopelican_hls.hls.testbench import run_events_file, run_testbench, write_events

__all__ = [
    "Firmware",
    "compile",
    "convert",
    "predict",
    "register",
    "run_events_file",
    "run_testbench",
    "templates_path",
    "trace",
    "write_events",
]

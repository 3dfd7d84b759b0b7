"""HLS C++ from the contract, through hls4ml (docs/firmware.md)."""

from nanopelican_hls.hls.project import Firmware, convert
from nanopelican_hls.hls.registration import register
from nanopelican_hls.hls.templates import templates_path

__all__ = ["Firmware", "convert", "register", "templates_path"]

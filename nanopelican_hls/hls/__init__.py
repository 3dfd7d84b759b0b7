"""The contract as HLS C++, through hls4ml (docs/firmware.md)."""

from nanopelican_hls.hls.registration import register

__all__ = ["register"]

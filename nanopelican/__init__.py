"""The module that qonnx imports for the ONNX domain ``nanopelican``: so its own tools, as qonnx-exec, run our files."""

from __future__ import annotations

from nanopelican_hls.contract import qonnx_adapter
from nanopelican_hls.operators import OPERATORS

__all__ = list(OPERATORS)

globals().update({name: getattr(qonnx_adapter, name) for name in OPERATORS})

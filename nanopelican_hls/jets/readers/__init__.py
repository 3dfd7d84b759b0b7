"""Jet readers, one module per file layout; the layout is detected from the content of the file (docs/jets.md)."""

from __future__ import annotations

from nanopelican_hls.jets.readers.reading import CHUNK_JETS, iterate_jets, read_jets

__all__ = ["CHUNK_JETS", "iterate_jets", "read_jets"]

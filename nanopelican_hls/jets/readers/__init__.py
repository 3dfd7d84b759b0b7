"""Readers of jets, one module per layout of file; the layout is chosen by looking into the file (docs/jets.md)."""

from __future__ import annotations

from nanopelican_hls.jets.readers.reading import CHUNK_JETS, iterate_jets, read_jets

__all__ = ["CHUNK_JETS", "iterate_jets", "read_jets"]

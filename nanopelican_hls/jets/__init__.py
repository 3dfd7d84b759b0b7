"""Jets: container, files, coordinates, and the sample that ships with the package (docs/jets.md)."""

from __future__ import annotations

from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.coordinates import port_values, to_light_cone
from nanopelican_hls.jets.hdf5 import write_jets
from nanopelican_hls.jets.readers import iterate_jets, read_jets
from nanopelican_hls.jets.sample import sample_path

__all__ = ["Jets", "iterate_jets", "port_values", "read_jets", "sample_path", "to_light_cone", "write_jets"]

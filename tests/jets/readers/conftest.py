from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from jet_files import LAYOUTS

from nanopelican_hls.jets import Jets
from nanopelican_hls.jets.level1 import from_level1, to_level1


@pytest.fixture
def grid_jets(jets: Jets) -> Jets:
    """Jets on the Level-1 grid, which every layout can hold exactly, in float64 or as words."""
    words = to_level1(jets)
    return dataclasses.replace(from_level1(words), multiplicity=np.count_nonzero(words.pt, axis=1))


@pytest.fixture(params=LAYOUTS)
def layout_file(request, tmp_path, grid_jets) -> Path:
    """The same jets in each layout."""
    suffix, write = LAYOUTS[request.param]
    path = tmp_path / f"jets{suffix}"
    write(path, grid_jets)
    return path

from __future__ import annotations

import numpy as np
import pytest

from nanopelican_hls.errors import JetsError
from nanopelican_hls.evaluation.calibration import reliability


def test_a_probability_is_on_the_diagonal():
    rng = np.random.default_rng(2)
    scores = rng.uniform(size=50_000)
    bins = reliability(rng.uniform(size=50_000) < scores, scores)
    assert sum(each.jets for each in bins) == 50_000
    for each in bins:
        assert each.low <= each.mean <= each.high
        assert abs(each.share - each.mean) < 4 * each.error


def test_ends_and_bins_of_few():
    bins = reliability(np.repeat([0, 1], 20), np.repeat([0.0, 1.0, 0.55], [20, 15, 5]))
    assert [each.jets for each in bins] == [20, 0, 0, 0, 0, 5, 0, 0, 0, 15]
    assert (bins[0].share, bins[9].share, bins[5].share) == (0, 1, None)
    assert min(bins[0].error, bins[9].error) > 0


def test_one_class_is_refused():
    with pytest.raises(JetsError):
        reliability(np.ones(30), np.ones(30))

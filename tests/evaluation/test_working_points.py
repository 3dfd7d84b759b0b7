from __future__ import annotations

import numpy as np
import pytest

from nanopelican_hls.errors import JetsError, NetworkError
from nanopelican_hls.evaluation.working_points import threshold_at, working_point

LABELS = np.repeat([1, 0], [10, 20])
LOGITS = np.concatenate([np.arange(10.0), np.arange(20.0) / 4])


@pytest.mark.parametrize(("share", "threshold"), [(0.3, 7), (0.31, 6), (0.5, 5), (1.0, 0), (0.001, 9)])
def test_the_largest_threshold_with_that_efficiency(share, threshold):
    assert threshold_at(LABELS, LOGITS, share) == threshold
    assert working_point(LABELS, LOGITS, threshold).signal_efficiency >= share
    assert working_point(LABELS, LOGITS, threshold + 0.5).signal_efficiency < share


def test_equal_logits_pass_together():
    assert working_point(LABELS, np.zeros(30), threshold_at(LABELS, np.zeros(30), 0.3)).signal_efficiency == 1


def test_shares_and_errors():
    point = working_point(LABELS, LOGITS, 4.0)
    assert (point.signal_efficiency, point.background_efficiency) == (0.6, 0.2)
    assert point.signal_efficiency_error == pytest.approx(np.sqrt(0.6 * 0.4 / 10))
    assert point.background_efficiency_error == pytest.approx(np.sqrt(0.2 * 0.8 / 20))


def test_bad_samples():
    with pytest.raises(JetsError, match="at least 10 are needed"):
        threshold_at(LABELS[:15], LOGITS[:15], 0.3)
    with pytest.raises(NetworkError, match="the logit is nan"):
        working_point(LABELS, LOGITS * np.nan, 0.3)

"""Learning rate schedules."""

from __future__ import annotations

import pytest

from nanopelican_hls.config import Schedule, TrainingConfig
from nanopelican_hls.training.learning_rate import cosine, float_schedule


def test_cosine():
    factor = cosine(10)
    assert [factor(epoch) for epoch in (0, 5, 10, 11)] == pytest.approx([1, 0.5, 0, 0])


class TestPaper:
    """4 epochs of warm-up, cosines of 4 + 8 + 16 + 32 + 64 epochs, 12 epochs of decay by one half."""

    factor = staticmethod(
        float_schedule(
            TrainingConfig(float_epochs=140, schedule=Schedule.WARM_RESTARTS, warmup_epochs=4, decay_epochs=12)
        )
    )

    def test_warm_up_is_linear(self):
        assert [self.factor(epoch) for epoch in (0, 1, 2.5)] == [0, 0.25, 0.625]

    @pytest.mark.parametrize(("start", "length"), [(4, 4), (8, 8), (16, 16), (32, 32), (64, 64)])
    def test_cosines_restart(self, start, length):
        assert self.factor(start) == 1
        assert self.factor(start + length / 2) == pytest.approx(0.5)
        assert self.factor(start + length - 1e-6) == pytest.approx(0, abs=1e-9)

    def test_decay(self):
        assert [self.factor(epoch) for epoch in (128, 129.5, 139)] == [1 / 2, 1 / 4, 1 / 2**12]


def test_one_cosine_fills_what_warm_up_leaves():
    factor = float_schedule(TrainingConfig(float_epochs=12, warmup_epochs=2))
    assert [factor(epoch) for epoch in (1, 2, 7, 12)] == pytest.approx([0.5, 1, 0.5, 0])

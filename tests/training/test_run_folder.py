"""The optional files of a run."""

from __future__ import annotations

import sys

import pytest

from nanopelican_hls.errors import NetworkError
from nanopelican_hls.training.run_folder import CURVES, RunFolder

HISTORY = [{"phase": "float", "epoch": epoch, **dict.fromkeys(CURVES, 0.1 * epoch)} for epoch in (1, 2, 3)]


def test_tensorboard_events(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = RunFolder(tmp_path, tensorboard=True)
    for epochs in (1, 2, 2, 3):  # interrupted between the second and third
        folder.save({"history": HISTORY[:epochs]})
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert set(events.Tags()["scalars"]) == set(CURVES)
    assert [event.step for event in events.Scalars("auc")] == [1, 2, 3]
    assert [event.value for event in events.Scalars("auc")] == pytest.approx([0.1, 0.2, 0.3])


def test_tensorboard_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(
        NetworkError, match=r'needs tensorboard.*\n  remedy: pip install "nanopelican-hls\[tensorboard\]"'
    ):
        RunFolder(tmp_path, tensorboard=True).save({"history": HISTORY})


def test_curves_need_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    RunFolder(tmp_path)._draw(HISTORY)
    assert not list(tmp_path.iterdir())

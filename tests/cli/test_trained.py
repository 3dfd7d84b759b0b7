from __future__ import annotations

from pathlib import Path

import pytest

from nanopelican_hls.cli.trained import trained_file
from nanopelican_hls.config import load_config
from nanopelican_hls.errors import NetworkError

ROOT = Path(__file__).parents[2]


def test_from_another_folder_the_folder_that_was_searched_is_named(tmp_path, monkeypatch):
    config = load_config(ROOT / "configs" / "trigger-n8.yaml")
    assert trained_file("mine.yaml", config, ROOT / "models", ".pt").is_file()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NetworkError) as caught:
        trained_file("mine.yaml", config, None, ".pt")
    assert caught.value.where == str(tmp_path / "models" / "trigger-n8.pt")
    assert "--models FOLDER" in caught.value.remedy

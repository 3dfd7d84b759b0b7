"""What every test begins with."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def levels_of_our_loggers() -> None:
    """A command sets them for its process (`--quiet`): tests that call it in theirs would silence those after."""
    for name in ("nanopelican_hls", "nanopelican_hls.jets"):
        logging.getLogger(name).setLevel(logging.NOTSET)

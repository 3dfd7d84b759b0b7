"""Configurations shipped with the package, on which studies and benchmarks are based."""

from __future__ import annotations

from pathlib import Path

from nanopelican_hls.config import Config, load_config


def recommended() -> Config:
    """The recommended form and widths, with a training of a few minutes."""
    return load_config(Path(__file__).with_name("recommended.yaml"))


def paper() -> Config:
    """The full recipe of arXiv:2310.16121."""
    return load_config(Path(__file__).with_name("paper.yaml"))

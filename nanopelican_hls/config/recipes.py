"""Configurations shipped with the package, on which studies and benchmarks are based."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nanopelican_hls.config import Config, load_config


def recommended() -> Config:
    """The recommended model's configuration (trigger-n16), with a training of two minutes a seed."""
    config = load_config("trigger-n16")
    training = replace(config.training, seeds=(1, 2), float_epochs=24, second_order_steps=150, quantised_epochs=12)
    return replace(config, training=training)


def paper() -> Config:
    """The full recipe of arXiv:2310.16121."""
    return load_config(Path(__file__).with_name("paper.yaml"))

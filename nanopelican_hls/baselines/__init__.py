"""Taggers to compare with nPELICAN, in a common harness (docs/baselines.md)."""

from __future__ import annotations

from typing import Any

import torch

from nanopelican_hls.baselines.base import Baseline
from nanopelican_hls.baselines.deep_sets import DeepSets
from nanopelican_hls.baselines.lorentznet import LorentzNet
from nanopelican_hls.baselines.mass_cut import JetMassCut
from nanopelican_hls.baselines.mass_likelihood import JetMassLikelihood
from nanopelican_hls.baselines.topodnn import TopoDnn
from nanopelican_hls.baselines.training import TrainedBaseline, train_baseline
from nanopelican_hls.baselines.transformer import Transformer
from nanopelican_hls.errors import NetworkError

__all__ = ["BASELINES", "Baseline", "TrainedBaseline", "create", "train_baseline"]

#: all baselines by name, simple ones first
BASELINES: dict[str, type[Baseline]] = {
    baseline.name: baseline for baseline in (JetMassCut, JetMassLikelihood, LorentzNet, TopoDnn, DeepSets, Transformer)
}


def create(name: str, seed: int = 1, **options: Any) -> Baseline:
    """A baseline with initial values from a seed; the global random state of torch is not changed.

    ``options`` are those of its constructor, if it has any (`DeepSets`, `Transformer`).

    Raises
    ------
    NetworkError
        If there is no baseline of this name.
    """
    if name not in BASELINES:
        raise NetworkError(f"there is no baseline {name!r}", remedy=f"choose one of {', '.join(BASELINES)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BASELINES[name](**options)

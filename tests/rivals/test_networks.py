"""Keras and alkaid give the same numbers, and the order of constituents does not matter (needs extra ``rivals``)."""

from __future__ import annotations

import os

import numpy as np
import pytest

from nanopelican_hls.jets import read_jets, sample_path
from nanopelican_hls.rivals.inputs import CONSTITUENT, JET, Inputs, inputs

os.environ.setdefault("KERAS_BACKEND", "jax")
pytest.importorskip("hgq", reason="the extra `rivals` is not installed")
pytestmark = pytest.mark.filterwarnings("default")

N = 3


@pytest.mark.parametrize("name", ["deep-sets", "deep-sets-tables", "jedi-linear"])
def test_untrained_networks_are_exact_and_permutation_invariant(name, tmp_path):
    from nanopelican_hls.rivals.hardware import hardware
    from nanopelican_hls.rivals.networks import NETWORKS
    from nanopelican_hls.rivals.training import calibrate, logits

    jets = inputs(read_jets(sample_path())[:300], N, "angles")
    model = NETWORKS[name](N, len(CONSTITUENT["angles"]), len(JET))
    for layer in model.layers:  # tables that were not trained are flat
        for weight in layer.module.weights if hasattr(layer, "module") else ():
            weight.assign(8 * weight)
    calibrate(model, jets)
    exact = hardware(model, N, CONSTITUENT["angles"], tmp_path / "rtl", 2.7777).logits(jets)
    assert len(np.unique(exact)) > 100
    assert (logits(model, jets) == exact).all()
    turned = Inputs(np.roll(jets.constituents, 1, axis=1), jets.jet, jets.labels)
    assert (logits(model, turned) == exact).all()

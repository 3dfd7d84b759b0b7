"""The transformer does not see the order of constituents, nor padding."""

from __future__ import annotations

import pytest
import torch

from nanopelican_hls.baselines import create


@pytest.mark.parametrize("of_jet", [False, True])
def test_permutation_invariance(sample, of_jet):
    """In float64, with padding anywhere among the constituents and anything in it."""
    model = create("transformer", seed=1, constituents=12, of_jet=of_jet)
    model.fit(sample)
    model = model.double().eval()
    jets = sample[:50]
    inputs = {name: torch.as_tensor(values) for name, values in model.inputs(jets).items()}
    inputs = {name: x.double() if x.is_floating_point() else x for name, x in inputs.items()}
    inputs["present"][:, 9:] = False
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    turned = inputs | {name: inputs[name][:, order] for name in ("features", "present")}
    filled = torch.where(inputs["present"][..., None], inputs["features"], 7.0)
    with torch.no_grad():
        before, after, other = model(inputs), model(turned), model(inputs | {"features": filled})
    assert after.tolist() == pytest.approx(before.tolist(), abs=1e-12)
    assert other.tolist() == pytest.approx(before.tolist(), abs=1e-12)
    assert before.std() > 1e-3

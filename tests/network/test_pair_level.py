"""The one-pass pair level agrees with the operators, gradients included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nanopelican_hls.fixed_point import Quantiser, Rounding
from nanopelican_hls.network import pair_level
from nanopelican_hls.network.pair_level import PairSettings, PairSums, pair_sums
from nanopelican_hls.network.square_products import unpacked
from nanopelican_hls.network.tensor_quantiser import TensorQuantiser
from nanopelican_hls.operators.pair_mix import PairMix
from nanopelican_hls.operators.pair_sum import PairSum

JETS, PARTICLES, CHANNELS = 50, 7, 3
QUANTISERS = {
    "exact": None,
    "round": TensorQuantiser(Quantiser(4, False, -2, Rounding.ROUND)),
    "floor": TensorQuantiser(Quantiser(4, False, -2, Rounding.FLOOR)),
}


@pytest.fixture(params=[True, False], ids=["symmetric", "untied"])
def symmetric(request) -> bool:
    return request.param


@pytest.fixture
def tensors(symmetric) -> dict[str, Tensor]:
    """Jets of every multiplicity, including 0; padded values are not 0 and must not matter."""
    random = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random, dtype=torch.float64)

    mask = (normal(JETS, PARTICLES) > 0).double()
    mask[0], mask[1] = 0, 1
    pairs = PARTICLES * (PARTICLES - 1) // 2
    tensors = {"d": normal(JETS, pairs), "row": normal(JETS, PARTICLES, CHANNELS), "w_d": normal(CHANNELS)}
    if not symmetric:
        tensors["column"] = normal(JETS, PARTICLES, CHANNELS)
    return {name: t.requires_grad_(name != "d") for name, t in tensors.items()} | {"mask": mask}


def in_one_pass(tensors: dict[str, Tensor], settings: PairSettings) -> PairSums:
    row = tensors["row"]
    square = unpacked(tensors["d"], PARTICLES)
    return pair_sums(square, row, tensors.get("column", row), tensors["w_d"], tensors["mask"], settings)


def by_operators(tensors: dict[str, Tensor], quantiser: TensorQuantiser | None) -> tuple[Tensor, Tensor]:
    """Sums of the ReLU outputs and of their squares."""
    z = PairMix().compute(tensors["d"], tensors["row"], tensors["w_d"], tensors.get("column"), None)
    x = torch.relu(z) if quantiser is None else quantiser(torch.relu(z))
    return PairSum().compute(x, tensors["mask"]), PairSum().compute(x * x, tensors["mask"])


def gradients(tensors: dict[str, Tensor], *outputs: Tensor) -> list[Tensor]:
    random = torch.Generator().manual_seed(1)
    scalar = sum((torch.randn(o.shape, generator=random, dtype=o.dtype) * o).sum() for o in outputs)
    return list(torch.autograd.grad(scalar, [t for t in tensors.values() if t.requires_grad], retain_graph=True))


@pytest.mark.parametrize("entries", [1, 100, 1 << 15])
@pytest.mark.parametrize("quantiser", QUANTISERS.values(), ids=QUANTISERS)
def test_sums_and_gradients_are_those_of_the_operators(tensors, quantiser, entries, monkeypatch):
    monkeypatch.setitem(pair_level.ENTRIES_PER_GROUP, "cpu", entries)
    found = in_one_pass(tensors, PairSettings(quantiser, squares=True))
    expected = by_operators(tensors, quantiser)
    torch.testing.assert_close((found.total, found.squares), expected, rtol=1e-12, atol=1e-12)
    assert found.kept is found.total
    assert expected[0].any()
    for outputs, wanted in (((found.total,), expected[:1]), ((found.total, found.squares), expected)):
        torch.testing.assert_close(gradients(tensors, *outputs), gradients(tensors, *wanted), rtol=1e-12, atol=1e-12)


def test_quantised_sums_are_exact(tensors):
    """Sums of values on a grid are exact in any order."""
    quantiser = QUANTISERS["round"]
    assert torch.equal(in_one_pass(tensors, PairSettings(quantiser)).total, by_operators(tensors, quantiser)[0])


def test_a_quantiser_that_is_switched_off_changes_nothing(tensors):
    quantiser = TensorQuantiser(Quantiser(4, False, -2))
    quantiser.enabled = False
    off = in_one_pass(tensors, PairSettings(quantiser)).total
    assert torch.equal(off, in_one_pass(tensors, PairSettings()).total)


def test_dropout_keeps_the_mean_and_its_gradient_sees_what_was_kept(tensors):
    rate = 0.3
    torch.manual_seed(0)
    trials = torch.stack([in_one_pass(tensors, PairSettings(dropout=rate)).kept.detach() for _ in range(300)])
    total, squares = (sums.detach() for sums in by_operators(tensors, None))
    deviation = (squares * rate / (1 - rate) / len(trials)).sqrt()
    pulls = ((trials.mean(0) - total) / deviation)[total > 0]
    assert pulls.abs().max() < 5
    assert pulls.std() == pytest.approx(1, abs=0.3)
    # the total is linear in all inputs while no ReLU switches, so its gradient reproduces it
    torch.manual_seed(0)
    found = in_one_pass(tensors, PairSettings(dropout=rate)).kept
    inputs = [t for t in tensors.values() if t.requires_grad]
    slopes = torch.autograd.grad(found.sum(), inputs)
    linear = sum((t * slope).sum().item() for t, slope in zip(inputs, slopes, strict=True))
    assert linear == pytest.approx(found.sum().item(), rel=1e-12)


def test_empty_jets_sum_to_nothing(tensors):
    assert not in_one_pass(tensors, PairSettings()).total[0].any()


def test_groups_hold_every_jet_once_and_stay_small(monkeypatch):
    monkeypatch.setitem(pair_level.ENTRIES_PER_GROUP, "cpu", 400)
    sizes = torch.randint(0, 41, (300,), generator=torch.Generator().manual_seed(2))
    mask = (torch.arange(40) < sizes[:, None]).float()
    groups = list(pair_level._groups(mask))
    assert torch.equal(torch.cat([jets for jets, _ in groups]).sort().values, torch.arange(300))
    for jets, size in groups:
        assert sizes[jets].max() == size
        assert len(jets) == 1 or len(jets) * size**2 <= 400
    assert len(groups) < 300  # small jets are grouped

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from nanopelican_hls.baselines import create
from nanopelican_hls.baselines.lorentznet import BEAMS, LorentzNet, Particles

METRIC = torch.diag(torch.tensor([1.0, -1, -1, -1], dtype=torch.float64))


@pytest.fixture(params=[1, 2], ids=["1 block", "2 blocks"])
def model(request):
    """In float64, with BatchNorm statistics and a momentum update different from the initial ones."""
    torch.manual_seed(5)
    model = LorentzNet(blocks=request.param).double()
    for name, parameter in model.named_parameters():
        if "phi_x.2" in name:
            torch.nn.init.normal_(parameter)
    model.train()
    model({"momenta": momenta(60, seed=9)})
    return model.eval()


def momenta(jets=11, places=12, seed=0):
    """Beams and up to ten massive constituents, padded; a different number in every jet, one without any."""
    rng = np.random.default_rng(seed)
    p = rng.normal((60, 0, 30), 20, size=(jets, places, 3))
    energy = np.sqrt((p**2).sum(axis=-1, keepdims=True) + rng.uniform(0.1, 4, size=(jets, places, 1)))
    constituents = np.concatenate([energy, p], axis=-1)
    constituents[np.arange(places) >= (np.arange(jets) % (places - 1))[:, None]] = 0
    beams = np.broadcast_to(np.array(BEAMS), (jets, 2, 4))
    return torch.as_tensor(np.concatenate([beams, constituents], axis=1))


def psi(x):
    return x.sign() * (x.abs() + 1).log()


def dot(p, q):
    return p[0] * q[0] - p[1] * q[1] - p[2] * q[2] - p[3] * q[3]


def of(module, vector):
    """Apply a channels-first module to one vector [channels]."""
    return module(vector[:, None])[:, 0]


def straightforward(model, x):
    """Logit of one jet [M, 4], edge by edge, from the equations of arXiv:2201.08187 (evaluation mode)."""
    places, x = len(x), [p for p in x if p[0] > 0]
    everyone, n = range(len(x)), len(x)
    nothing = torch.zeros((), dtype=torch.float64)
    masses = [psi(dot(p, p).abs().sqrt()) for p in x]
    s = [torch.stack([nothing, mass] if i < 2 else [mass, nothing]) for i, mass in enumerate(masses)]
    h = [of(model.embedding, scalars) for scalars in s]
    for block in model.blocks:
        m = {}
        for i, j in itertools.permutations(everyone, 2):
            invariants = psi(torch.stack([dot(x[i] - x[j], x[i] - x[j]), dot(x[i], x[j])]))
            edge = of(block.phi_e, block.from_edge.weight @ torch.cat([h[i], h[j], invariants]))
            m[i, j] = edge * of(block.phi_m, edge)
        if block.phi_x is not None:
            pulls = [sum((x[i] - x[j]) * of(block.phi_x, m[i, j]) for j in everyone if j != i) for i in everyone]
            x = [p + 5e-3 * pull / (n - 1) for p, pull in zip(x, pulls, strict=True)]
        sums = [sum(m[i, j] for j in everyone if j != i) for i in everyone]
        h = [h[i] + of(block.phi_h, torch.cat([h[i], sums[i], s[i]])) for i in everyone]
    top, qcd = model.decoder(sum(h) / places)
    return (top - qcd).item()


def test_every_jet_is_what_the_equations_say(model):
    x = momenta()
    with torch.no_grad():
        logits = model({"momenta": x})
        expected = [straightforward(model, jet) for jet in x]
    assert logits.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert np.ptp(expected) > 1e-3  # a constant network would pass otherwise


def boost(direction, beta):
    """Matrix of a boost."""
    n = torch.as_tensor(direction, dtype=torch.float64)
    n = n / n.norm()
    gamma = (1 - beta**2) ** -0.5
    matrix = torch.eye(4, dtype=torch.float64)
    matrix[0, 0] = gamma
    matrix[0, 1:] = matrix[1:, 0] = -gamma * beta * n
    matrix[1:, 1:] += (gamma - 1) * torch.outer(n, n)
    return matrix


def rotation(seed):
    matrix = torch.eye(4, dtype=torch.float64)
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    matrix[1:, 1:] = torch.as_tensor(q)
    return matrix


@pytest.mark.parametrize("beta", [0.1, 0.5, 0.9])
def test_lorentz_invariance(model, beta):
    """Random boosts and rotations of constituents and beams change nothing."""
    x = momenta()
    for seed in range(3):
        matrix = boost(np.random.default_rng(seed).normal(size=3), beta) @ rotation(seed)
        assert torch.allclose(matrix.T @ METRIC @ matrix, METRIC, atol=1e-12)
        with torch.no_grad():
            before, after = model({"momenta": x}), model({"momenta": x @ matrix.T})
        assert after.tolist() == pytest.approx(before.tolist(), abs=1e-9)


def test_a_boost_without_the_beams_is_seen(model):
    """The invariance above is not that of a network that ignores its input."""
    x = momenta()
    moved = x @ boost([0, 0, 1], 0.9).T
    moved[:, :2] = x[:, :2]
    with torch.no_grad():
        assert (model({"momenta": moved}) - model({"momenta": x})).abs().max() > 1e-6


def test_permutation_invariance(model):
    """Constituents in any order, with padding anywhere among them."""
    x = momenta()
    order = torch.cat([torch.arange(2), 2 + torch.randperm(12, generator=torch.Generator().manual_seed(0))])
    with torch.no_grad():
        before, after = model({"momenta": x}), model({"momenta": x[:, order]})
    assert after.tolist() == pytest.approx(before.tolist(), abs=1e-11)


def test_edges():
    """Every ordered pair of particles in a jet exactly once, none between jets."""
    there = torch.tensor([[1, 1, 0, 1], [1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]], dtype=torch.bool)
    particles = Particles.present(there)
    assert particles.jet.tolist() == [0, 0, 0, 1, 1, 2, 3, 3, 3, 3]
    assert particles.is_beam.tolist() == [1, 1, 0, 1, 1, 1, 1, 1, 0, 0]
    assert particles.partners.tolist() == [2, 2, 2, 1, 1, 0, 3, 3, 3, 3]
    edges = list(zip(particles.receiver.tolist(), particles.sender.tolist(), strict=True))
    jets = particles.jet.tolist()
    assert sorted(edges) == [(i, j) for i in range(10) for j in range(10) if jets[i] == jets[j] and i != j]
    half = len(edges) // 2
    assert edges[half:] == [(j, i) for i, j in edges[:half]]


def test_parameters():
    """120 with one block, as the paper counts; 224 thousand at the size of the original, as it counts."""
    assert LorentzNet().parameter_count == 120
    assert LorentzNet(blocks=2).parameter_count == 120 + 91 + 15
    assert LorentzNet(hidden=72, blocks=6).parameter_count == 224_072


@pytest.mark.parametrize("seed", range(1, 9))
def test_no_seed_starts_dead(seed, sample):
    """At least one ReLU before the output is active for some jets, so that the gradient reaches every layer."""
    model = create("lorentznet", seed=seed).train()
    model({"momenta": torch.as_tensor(model.inputs(sample[:50])["momenta"])}).square().sum().backward()
    assert all(parameter.grad.any() for parameter in (model.decoder[0].weight, model.blocks[0].from_edge.weight))


def test_inputs(sample):
    inputs = LorentzNet().inputs(sample[:5])["momenta"]
    assert inputs.shape == (5, 82, 4)
    assert inputs.dtype == np.float32
    assert inputs[:, :2] == pytest.approx(np.broadcast_to(BEAMS, (5, 2, 4)))
    assert np.array_equal(inputs[:, 2:34], sample[:5].four_momenta.astype(np.float32))
    assert not inputs[:, 34:].any()

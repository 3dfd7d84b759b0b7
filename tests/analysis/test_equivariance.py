"""Lorentz invariance: exact for the float network, and how quantisation breaks it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from network.test_fold import random_float_network
from random_networks import NETWORKS, network_id, random_description

from nanopelican_hls.analysis import equivariance
from nanopelican_hls.analysis.equivariance import (
    Drift,
    Kind,
    at_momentum_width,
    boosts,
    drifts,
    float_deviation,
    float_logits,
    free_port_values,
    free_quantised,
    transformations,
    transformed,
)
from nanopelican_hls.errors import JetsError
from nanopelican_hls.evaluation.sample import Sample
from nanopelican_hls.jets import Jets, port_values, read_jets, sample_path, to_light_cone
from nanopelican_hls.network.inference import float_logits as port_logits
from nanopelican_hls.network.model import load_model
from nanopelican_hls.topology.config import Coordinates, Multiplicity, NetworkConfig, Spurions

MODELS = Path(__file__).parents[2] / "models"
METRIC = np.diag([1.0, -1.0, -1.0, -1.0])
FORMS = [
    replace(n, batch_norm=n.symmetric and n.multiplicity is not Multiplicity.JET) for n in NETWORKS if n.level1 is None
]


@pytest.fixture(scope="module")
def jets() -> Jets:
    return read_jets(sample_path(), 200)


def identity(n: int) -> np.ndarray:
    return np.broadcast_to(np.eye(4), (n, 4, 4))


def network_at_jets(network: NetworkConfig, jets: Jets, *, nbar: int = 16):
    """Random, with logits of order 1 to 10 that differ between jets: only then is a small drift meaningful."""
    net = random_float_network(replace(network, n_constituents=8), seed=4)
    net.d_unit = nbar**2 / 172.0**2
    logits = float_logits(net, jets.leading(8), identity(len(jets)))
    assert np.abs(logits).max() < 1e3
    assert logits.std() > 1e-2
    return net


@pytest.mark.parametrize("kind", Kind)
class TestTransformations:
    def test_keep_products(self, kind):
        matrices = transformations(kind, np.linspace(0, 0.9, 50), 50, np.random.default_rng(0))
        np.testing.assert_allclose(
            matrices.transpose(0, 2, 1) @ METRIC @ matrices, METRIC[None].repeat(50, 0), atol=1e-14
        )
        np.testing.assert_allclose(np.linalg.det(matrices), 1)

    def test_have_the_velocity(self, kind):
        matrices = transformations(kind, 0.6, 50, np.random.default_rng(0))
        np.testing.assert_allclose(matrices[:, 0, 0], 1.25, rtol=1e-15)
        np.testing.assert_allclose(np.linalg.norm(matrices[:, 1:, 0], axis=1), 0.75, rtol=1e-14)

    def test_differ_from_jet_to_jet(self, kind):
        matrices = transformations(kind, 0.6, 50, np.random.default_rng(0))
        assert len(np.unique(matrices.round(9), axis=0)) == 50


def test_a_boost_by_hand():
    """A photon of 1 GeV along z, from a frame that moves with 0.6 c: E' = gamma (1 + beta) E = 2 GeV."""
    (matrix,) = boosts(np.array([0.6]), np.array([[0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(matrix @ [1, 0, 0, 1], [2, 0, 0, 2], rtol=1e-15)
    np.testing.assert_allclose(matrix @ [1, 1, 0, 0], [1.25, 1, 0, 0.75], rtol=1e-15)


def test_boosts_along_the_beam_keep_pt_and_those_across_keep_pz(jets):
    rng = np.random.default_rng(3)
    along = transformed(jets, transformations(Kind.BEAM, 0.7, len(jets), rng)).jet_four_momentum
    across = transformed(jets, transformations(Kind.TRANSVERSE, 0.7, len(jets), rng)).jet_four_momentum
    before = jets.jet_four_momentum
    np.testing.assert_allclose(np.hypot(along[:, 1], along[:, 2]), np.hypot(before[:, 1], before[:, 2]), rtol=1e-12)
    np.testing.assert_allclose(across[:, 3], before[:, 3], rtol=1e-12)
    assert np.abs(along[:, 3] - before[:, 3]).min() > 1
    assert np.abs(across[:, 1] - before[:, 1]).min() > 1e-3


@pytest.mark.parametrize("network", FORMS, ids=network_id)
class TestFloatNetwork:
    def test_is_invariant(self, network, jets):
        """Jets of 1 to 2.4 TeV, boosted by up to 0.9 together with the spurions."""
        net = network_at_jets(network, jets)
        assert float_deviation(net, jets.leading(8), [0.0, 0.5, 0.9], seed=1) < 1e-9

    def test_from_its_ports_is_the_same(self, network, jets):
        """Light-cone components are the others boosted along the beam and rotated."""
        net = network_at_jets(network, jets)
        massless = transformed(jets.leading(8), identity(len(jets)))
        expected = float_logits(net, massless, identity(len(jets)))
        found = port_logits(net, port_values(massless, net.network))
        assert (np.abs(found - expected) / np.maximum(1, np.abs(expected))).max() < 1e-9

    def test_is_not_invariant_under_what_is_no_lorentz_transformation(self, network, jets, monkeypatch):
        """Shows that the test above can fail: the energy grows by 1%."""
        net = network_at_jets(network, jets)

        def stretched(kind: Kind, beta, n: int, rng) -> np.ndarray:
            return np.diag([1.01, 1, 1, 1]) @ transformations(kind, beta, n, rng)

        monkeypatch.setattr(equivariance, "transformations", stretched)
        assert float_deviation(net, jets.leading(8), [0.5], seed=1) > 1e-4


@pytest.mark.parametrize("spurions", [Spurions.BEAMS, Spurions.JET])
def test_spurions_must_be_transformed_too(spurions, jets):
    network = NetworkConfig(8, 2, spurions=spurions, coordinates=Coordinates.CARTESIAN)
    net = network_at_jets(network, jets)
    matrices = transformations(Kind.ANY, 0.9, len(jets), np.random.default_rng(0))
    jets = jets.leading(8)
    before = float_logits(net, jets, identity(len(jets)))
    if spurions is Spurions.BEAMS:
        left = port_logits(net, port_values(transformed(jets, matrices), network))
    else:
        values = port_values(transformed(jets, matrices), network)
        fixed = port_values(jets, network)
        left = port_logits(net, values | {name: v for name, v in fixed.items() if name.startswith("jet_")})
    assert np.abs(left - before).max() > 1e-3


class TestQuantisedNetwork:
    @pytest.mark.parametrize("symmetric", [True, False])
    @pytest.mark.parametrize("tables", [False, True])
    def test_beams_as_constituents_change_no_integer(self, symmetric, tables, jets):
        network = NetworkConfig(4, 2, symmetric=symmetric, spurions=Spurions.BEAMS, coordinates=Coordinates.CARTESIAN)
        description = random_description(network, tables)
        # 1 GeV of the beams on the grid, as after calibration
        quantisers = {
            name: replace(q, bits=14, exponent=-2) if name in network.components else q
            for name, q in description.quantisers.items()
        }
        description = replace(description, quantisers=quantisers)
        jets = jets.leading(4)
        massless = transformed(jets, identity(len(jets)))
        original = equivariance.QuantisedNetwork.from_description(description)
        with torch.no_grad():
            expected = original(port_values(massless, network))
            found = free_quantised(description)(free_port_values(network, jets, identity(len(jets))))
        assert torch.equal(found, expected)
        assert len(expected.unique()) > 3

    def test_more_than_two_classes_are_refused(self, jets):
        model = load_model(MODELS / "trigger-n16.pt")
        with pytest.raises(JetsError, match=r"equivariance jets: has 3 classes \(g, W, t\)"):
            next(drifts(model.description, replace(jets, classes=("g", "W", "t")), [0.0], seed=1))

    def test_light_cone_ports_do_not_see_rotations_about_the_beam(self, jets):
        model = load_model(MODELS / "trigger-n16.pt")
        by_kind = {d.kind: d for d in drifts(model.description, jets.leading(16), [0.0], seed=1)}
        assert by_kind[Kind.BEAM].largest == by_kind[Kind.TRANSVERSE].largest == 0
        assert by_kind[Kind.ANY].mean > 0.01

    def test_in_a_frame_of_the_jets_rapidity_they_would_not_see_boosts_along_it(self, jets):
        """The frame follows the pseudorapidity, which is not additive for a massive jet: that is the whole drift."""
        model = load_model(MODELS.parent / "benchmarks" / "forms" / "form-c-n32.pt")
        jets = jets.leading(32)
        boosted = transformed(jets, transformations(Kind.BEAM, 0.9, len(jets), np.random.default_rng(1)))
        jets = transformed(jets, identity(len(jets)))
        with torch.no_grad():
            before, after = (model.quantised_network(in_rapidity_frame(model, j)) for j in (jets, boosted))
            in_own_frame = [model.quantised_network(port_values(j, model.config.network)) for j in (jets, boosted)]
        assert torch.equal(before, after)
        assert not torch.equal(*in_own_frame)

    def test_cartesian_ports_see_every_transformation(self, jets):
        model = load_model(MODELS / "paper-n16-c2.pt")
        for drift in drifts(model.description, jets.leading(16), [0.0, 0.5], seed=1, bits=14):
            assert drift.mean > 0.01
            assert drift.momentum_bits == 14
            assert drift.mean <= drift.largest
            assert sorted(drift.quantiles) == list(drift.quantiles)

    def test_boosts_across_the_beam_saturate_ports_in_the_laboratory(self, jets):
        model = load_model(MODELS / "paper-n16-c2.pt")
        slow, fast = (
            {drift.kind: drift for drift in drifts(model.description, jets.leading(16), [beta], seed=1)}
            for beta in (0.0, 0.9)
        )
        assert slow[Kind.BEAM].saturated < 0.02 < 0.2 < fast[Kind.TRANSVERSE].saturated
        assert fast[Kind.TRANSVERSE].mean > 10 * slow[Kind.TRANSVERSE].mean

    def test_wide_momenta_drift_less(self, jets):
        model = load_model(MODELS / "paper-n16-c2.pt")
        jets = jets.leading(16)
        sample = Sample(port_values(jets, model.config.network), jets.labels.astype(float))
        mean = {}
        for bits in (12, 18):
            description = at_momentum_width(model.config, model.float_network, bits, sample)
            assert {description.quantisers[c].bits for c in model.config.network.components} == {bits}
            assert description.quantisers["d"].bits == model.config.quantisers.d.bits
            mean[bits] = next(drifts(description, jets, [0.3], seed=1)).mean
        assert mean[18] < mean[12] / 2


def in_rapidity_frame(model, jets: Jets) -> dict[str, np.ndarray]:
    """Light-cone ports in the frame in which the jet has no momentum along the beam."""
    energy, px, py, pz = jets.jet_four_momentum.T
    rapidity, pt = np.arctanh(pz / energy), np.hypot(px, py)
    axis = np.stack([pt * np.cosh(rapidity), px, py, pt * np.sinh(rapidity)], axis=1)
    constituents, jet = to_light_cone(jets.four_momenta, axis), to_light_cone(jets.jet_four_momentum[:, None], axis)
    components = model.config.network.components
    return {c: constituents[..., k] for k, c in enumerate(components)} | {
        f"jet_{c}": jet[..., k] for k, c in enumerate(components)
    }


@pytest.mark.parametrize(
    ("path", "spurion"), [("benchmarks/forms/form-c-n32.pt", "jet"), ("models/trigger-n8.pt", "rest")]
)
def test_momenta_keep_their_differences_in_bits(path, spurion, jets):
    model = load_model(MODELS.parent / path)
    sample = Sample(port_values(jets, model.config.network), jets.labels.astype(float))
    own = {port: quantiser.bits for port, quantiser in model.description.quantisers.items()}
    description = at_momentum_width(model.config, model.float_network, 7, sample)
    for component in ("q_plus", "q_minus", "q_y", "q_z", f"{spurion}_q_plus"):
        assert description.quantisers[component].bits == own[component] - 1


def test_drift_by_hand():
    before, after = np.array([-1.0, 2.0, 3.0, -4.0]), np.array([1.0, 2.0, 2.0, -4.5])
    setting = {"momentum_bits": 8, "kind": Kind.BEAM, "beta": 0.5, "saturated": 0.25}
    drift = Drift.between(before, after, np.array([0, 1, 1, 0], dtype=np.int8), **setting)
    assert drift.mean == (2 + 0 + 1 + 0.5) / 4
    assert drift.quantiles[0] == 0.75
    assert drift.largest == 2
    assert drift.flipped == 0.25
    assert (drift.auc_before, drift.auc) == (1.0, 1.0)
    assert drift.as_row() == {
        "momentum_bits": 8,
        "kind": "beam",
        "beta": 0.5,
        "saturated": 0.25,
        "mean": 0.875,
        "largest": 2.0,
        "flipped": 0.25,
        "auc_before": 1.0,
        "auc": 1.0,
        "q50": 0.75,
        "q90": pytest.approx(1.7),
        "q99": pytest.approx(1.97),
    }


def test_rests_that_rounding_put_outside_the_light_cone_are_moved_onto_it():
    """Most of these jets have all their constituents in the network, and a rest of a few units of float32."""
    jets = read_jets(sample_path(), 2000)
    few = jets[jets.multiplicity <= 24]
    assert len(few) > 50
    net = random_float_network(NetworkConfig(24, 2, spurions=Spurions.REST), seed=4)
    net.d_unit = 16**2 / 172.0**2
    assert float_deviation(net, few, [0.9], seed=1) < 1e-9

from __future__ import annotations

import itertools
import logging

import numpy as np
import pytest
import vector
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import Jets, port_values, read_jets, sample_path, to_light_cone
from nanopelican_hls.jets.level1 import from_level1, to_level1
from nanopelican_hls.operators._minkowski import dot
from nanopelican_hls.topology.config import Coordinates, Input, Multiplicity, NetworkConfig, Spurions
from nanopelican_hls.topology.dataflow import once_a_jet, ports

#: error of a product relative to E_i E_j, as stated in docs/jets.md
PRODUCT_BOUND = 1e-10


def products(a, b, coordinates):
    """All products [..., N, M] of four-momenta [..., N, 4] and [..., M, 4]."""
    a, b = a[..., :, None, :], b[..., None, :, :]
    return dot([a[..., k] for k in range(4)], [b[..., k] for k in range(4)], coordinates)


def product_error(momenta, jet):
    """Largest |product - product in the laboratory| / (E_i E_j) among the particles and the massive jet."""
    particles = np.concatenate([momenta, jet[..., None, :]], axis=-2)
    here = products(*[to_light_cone(particles, jet)] * 2, "light_cone")
    laboratory = products(particles, particles, "cartesian")
    energies = particles[..., :, None, 0] * particles[..., None, :, 0]
    assert not here[energies == 0].any()
    return (np.abs(here - laboratory)[energies > 0] / energies[energies > 0]).max(initial=0.0)


def as_vectors(momenta):
    return vector.array(dict(zip(("E", "px", "py", "pz"), np.moveaxis(momenta, -1, 0), strict=True)))


@pytest.fixture(scope="module")
def sample() -> Jets:
    return read_jets(sample_path(), 300)


class TestAgainstVector:
    """scikit-hep vector boosts and rotates independently of this package."""

    @staticmethod
    def transformed(momenta, jet):
        axis = as_vectors(jet)
        in_frame = as_vectors(momenta).boostZ(beta=-np.tanh(axis.eta)[:, None]).rotateZ(-axis.phi[:, None])
        return np.stack([in_frame.E + in_frame.px, in_frame.E - in_frame.px, in_frame.py, in_frame.pz], axis=-1)

    def test_components_of_constituents(self, sample):
        ours = to_light_cone(sample.four_momenta, sample.jet_four_momentum)
        theirs = self.transformed(sample.four_momenta, sample.jet_four_momentum)
        energy = sample.four_momenta[..., :1]
        assert (np.abs(ours - theirs) <= 1e-12 * energy).all()

    def test_components_of_the_jet(self, sample):
        jet = sample.jet_four_momentum
        ours, theirs = to_light_cone(jet[:, None], jet), self.transformed(jet[:, None], jet)
        assert (np.abs(ours - theirs) <= 1e-12 * jet[:, None, :1]).all()

    def test_products(self, sample):
        particles = np.concatenate([sample.four_momenta, sample.jet_four_momentum[:, None]], axis=1)
        ours = to_light_cone(particles, sample.jet_four_momentum)
        vectors = as_vectors(particles)
        for i, j in itertools.combinations_with_replacement(range(33), 2):
            theirs = vectors[:, i].dot(vectors[:, j])
            product = dot(ours[:, i].T, ours[:, j].T, "light_cone")
            assert (np.abs(product - theirs) <= PRODUCT_BOUND * particles[:, i, 0] * particles[:, j, 0]).all(), (i, j)


class TestFrame:
    def test_massless_constituents(self):
        """The formulas of docs/jets.md."""
        rng = np.random.default_rng(11)
        pt, de, dp = rng.exponential(30.0, (50, 20)), rng.normal(0, 0.3, (50, 20)), rng.normal(0, 0.3, (50, 20))
        eta0, phi0 = rng.uniform(-4, 4, (50, 1)), rng.uniform(-np.pi, np.pi, (50, 1))

        def momentum(pt, eta, phi):
            return np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)

        light_cone = to_light_cone(momentum(pt, eta0 + de, phi0 + dp), momentum(600.0, eta0, phi0)[:, 0])
        expected = np.stack(
            [
                pt * (np.cosh(de) + np.cos(dp)),
                pt * (np.cosh(de) - np.cos(dp)),
                pt * np.sin(dp),
                pt * np.sinh(de),
            ],
            axis=-1,
        )
        bound = 1e-14 * np.cosh(eta0) ** 2 * pt
        assert (np.abs(light_cone - expected) <= 10 * bound[..., None]).all()

    def test_the_jet_lies_along_x(self, sample):
        jet = sample.jet_four_momentum
        q_plus, q_minus, y, z = to_light_cone(jet[:, None], jet)[:, 0].T
        pt, mass2 = np.hypot(jet[:, 1], jet[:, 2]), products(jet[:, None], jet[:, None], "cartesian")[:, 0, 0]
        assert np.abs((q_plus - q_minus) / 2 - pt).max() <= 1e-12 * pt.max()
        assert np.abs(y).max() <= 1e-12 * pt.max()
        assert (np.abs(q_plus * q_minus - z * z - mass2) <= 1e-12 * jet[:, 0] ** 2).all()

    def test_never_negative_beyond_rounding(self, sample):
        light_cone = to_light_cone(sample.four_momenta, sample.jet_four_momentum)
        q_plus, q_minus = light_cone[..., 0], light_cone[..., 1]
        assert (q_plus[sample.four_momenta[..., 0] > 0] > 0).all()
        assert (q_minus >= -1e-6 * q_plus).all()


class TestWorkedExample:
    """The numbers of docs/jets.md."""

    def test_light_cone(self, sample):
        a, b = to_light_cone(sample.four_momenta[0, :2], sample.jet_four_momentum[0]).round(4).tolist()
        assert a == [190.3920, 3.1232, -17.1191, -17.3658]
        assert b == [181.3452, 3.1212, 15.7646, 17.8182]

    def test_product(self, sample):
        a, b = sample.four_momenta[0, :2]
        assert round(dot(a, b, "cartesian"), 3) == 1159.618


class TestWholeSample:
    """The figures of docs/jets.md on the shipped sample."""

    def test_float32_leaves_few_constituents_outside_the_light_cone(self):
        jets = read_jets(sample_path())
        light_cone = to_light_cone(jets.four_momenta, jets.jet_four_momentum)[jets.four_momenta[..., 0] > 0]
        assert len(light_cone) == 302_220
        assert (light_cone[:, 1] < 0).sum() == 5
        assert -3.1e-7 < (light_cone[:, 1] / light_cone[:, 0]).min() < 0

    def test_products_of_constituents(self):
        jets = read_jets(sample_path())
        for start in range(0, len(jets), 1000):
            part = jets[start : start + 1000]
            momenta = part.four_momenta
            light_cone = to_light_cone(momenta, part.jet_four_momentum)
            difference = products(light_cone, light_cone, "light_cone") - products(momenta, momenta, "cartesian")
            assert (np.abs(difference) <= 2e-15 * momenta[:, :, None, 0] * momenta[:, None, :, 0]).all()


class TestProducts:
    def test_sample(self, sample):
        assert product_error(sample.four_momenta, sample.jet_four_momentum) <= PRODUCT_BOUND

    @settings(derandomize=True, deadline=None, max_examples=300)
    @given(
        spatial=arrays(np.float64, (6, 3), elements=st.floats(-2000, 2000, width=32, allow_subnormal=False)),
        masses=arrays(np.float64, 6, elements=st.sampled_from([0.0, 0.0, 0.1396, 172.5])),
    )
    def test_any_particles_in_any_jet(self, spatial, masses):
        """Five particles and an unrelated jet: forward, backward, along the beam, at rest, or zero."""
        energy = np.sqrt((spatial**2).sum(axis=-1) + masses**2)
        momenta = np.concatenate([energy[:, None], spatial], axis=-1)
        light_cone = to_light_cone(momenta, momenta[5])
        assert np.isfinite(light_cone).all()
        assert product_error(momenta[:5], momenta[5]) <= PRODUCT_BOUND

    @pytest.mark.parametrize("eta", [0.0, 2.0, -4.0, 5.2, -5.4, 8.0, 20.0])
    def test_forward_jets(self, eta):
        rng = np.random.default_rng(5)
        direction = rng.normal(size=(40, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        momenta = 300.0 * np.concatenate([np.ones((40, 1)), direction], axis=1)
        jet = 50.0 * np.array([np.cosh(eta), np.cos(1.0), np.sin(1.0), np.sinh(eta)])
        assert product_error(momenta, jet) <= PRODUCT_BOUND


class TestPadding:
    def test_stays_exactly_zero(self, jets):
        light_cone = to_light_cone(jets.four_momenta, jets.jet_four_momentum)
        padding = light_cone[jets.four_momenta[..., 0] == 0]
        assert padding.size
        assert not padding.any()
        assert not np.signbit(padding).any()

    def test_an_empty_jet(self):
        assert to_light_cone(np.zeros((3, 4)), np.zeros(4)).tolist() == [[0.0] * 4] * 3

    @pytest.mark.parametrize("jet", [(0.0, 0.0, 0.0, 0.0), (90.0, 0.0, 0.0, 0.0), (90.0, 0.0, 0.0, -90.0)])
    def test_a_jet_without_pt_leaves_the_axis(self, jet):
        assert to_light_cone([[5.0, 3.0, 0.0, 4.0]], jet).tolist() == [[8.0, 2.0, 0.0, 4.0]]


def network(spurions, coordinates, n_constituents=8):
    return NetworkConfig(n_constituents=n_constituents, channels=2, spurions=spurions, coordinates=coordinates)


NETWORKS = [
    network(Spurions.NONE, Coordinates.CARTESIAN),
    network(Spurions.BEAMS, Coordinates.CARTESIAN),
    network(Spurions.JET, Coordinates.CARTESIAN),
    network(Spurions.NONE, Coordinates.LIGHT_CONE),
    network(Spurions.JET, Coordinates.LIGHT_CONE),
    network(Spurions.JET, Coordinates.LIGHT_CONE, n_constituents=24),
    NetworkConfig(8, 2, spurions=Spurions.JET, input=Input.L1),
    NetworkConfig(24, 2, input=Input.L1),
]


class TestPortValues:
    @pytest.mark.parametrize("network", NETWORKS)
    def test_names_shapes_and_types(self, jets, network):
        values = port_values(jets, network)
        assert list(values) == list(ports(network))
        for name, value in values.items():
            assert value.shape == (12, 1 if name in once_a_jet(network) else network.n_constituents)
            assert value.dtype == np.float64
            assert value.flags.c_contiguous
            assert value.flags.writeable

    def test_cartesian(self, jets):
        values = port_values(jets, network(Spurions.JET, Coordinates.CARTESIAN))
        for k, component in enumerate(("E", "px", "py", "pz")):
            assert np.array_equal(values[component], jets.four_momenta[:, :8, k])
            assert np.array_equal(values[f"jet_{component}"], jets.jet_four_momentum[:, k : k + 1])

    def test_light_cone_is_along_the_whole_jet(self, jets):
        values = port_values(jets, network(Spurions.JET, Coordinates.LIGHT_CONE))
        constituents = to_light_cone(jets.four_momenta[:, :8], jets.jet_four_momentum)
        jet = to_light_cone(jets.jet_four_momentum[:, None], jets.jet_four_momentum)
        for k, component in enumerate(("q_plus", "q_minus", "q_y", "q_z")):
            assert np.array_equal(values[component], constituents[..., k])
            assert np.array_equal(values[f"jet_{component}"], jet[..., k])

    def test_words(self, jets):
        """Jets and the jets recovered from their words agree, whichever of equal constituents comes first."""
        values, words = port_values(jets, NETWORKS[-2]), to_level1(jets)
        assert np.array_equal(values["pt"], words.pt[:, :8] / 4)
        assert np.array_equal(values["phi"], words.phi[:, :8])
        assert np.array_equal(values["jet_eta"], words.jet_eta[:, None])
        assert np.array_equal(values["jet_mass"], words.jet_mass[:, None] / 4)
        again = port_values(from_level1(words), NETWORKS[-2])
        for name, value in values.items():
            assert np.array_equal(value, again[name]), name

    def test_both_coordinates_give_the_same_products(self, sample):
        cartesian = port_values(sample, network(Spurions.NONE, Coordinates.CARTESIAN))
        light_cone = port_values(sample, network(Spurions.NONE, Coordinates.LIGHT_CONE))
        a, b = (np.stack(list(v.values()), axis=-1) for v in (cartesian, light_cone))
        difference = np.abs(products(a, a, "cartesian") - products(b, b, "light_cone"))
        assert (difference <= PRODUCT_BOUND * a[:, :, None, 0] * a[:, None, :, 0]).all()

    def test_cut_is_logged(self, jets, caplog):
        with caplog.at_level(logging.INFO, logger="nanopelican_hls"):
            port_values(jets, network(Spurions.JET, Coordinates.LIGHT_CONE))
        assert caplog.messages == ["6 of 12 jets have more than 8 constituents: keeping the leading 8 in pT"]

    def test_an_empty_jet_is_all_zero(self):
        empty = Jets(four_momenta=np.zeros((1, 3, 4)), jet_four_momentum=np.zeros((1, 4)), multiplicity=[0])
        for form in (network(Spurions.JET, Coordinates.LIGHT_CONE), NETWORKS[-2]):
            for value in port_values(empty, form).values():
                assert not value.any()


def test_a_last_constituent_at_the_least_pt_may_hide_others():
    momenta = np.array([[[5.0, 5.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]]])
    network = NetworkConfig(2, 1, multiplicity=Multiplicity.JET, multiplicity_min_pt=1.0)

    def counted(multiplicity):
        jets = Jets(
            four_momenta=momenta, jet_four_momentum=momenta.sum(1), multiplicity=np.array([multiplicity]), labels=None
        )
        return port_values(jets, network)["n_jet"].tolist()

    assert counted(2) == [[2]]
    with pytest.raises(JetsError, match=r"at least 1 GeV cannot be counted: of 3 only the leading 2 are present"):
        counted(3)

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nanopelican_hls.errors import ConfigError, JetsError
from nanopelican_hls.jets import Jets, read_jets, sample_path
from nanopelican_hls.jets.level1 import (
    CMS_CORRELATOR,
    CONSTITUENT_WORDS,
    GLOBAL_TRIGGER,
    JET_WORDS,
    LEVEL1_FORMATS,
    Level1Jets,
    from_level1,
    pack,
    to_level1,
    unpack,
)
from nanopelican_hls.topology.level1_format import WordFormat

FORMATS = pytest.mark.parametrize("scales", LEVEL1_FORMATS.values(), ids=LEVEL1_FORMATS)


def words(**given):
    """One jet with one constituent, with any words replaced by ``given``."""
    codes = {"pt": [[40]], "eta": [[1]], "phi": [[2]], "jet_pt": [40], "jet_eta": [1], "jet_phi": [2], "jet_mass": [0]}
    return Level1Jets(format=CMS_CORRELATOR, multiplicity=[1], **(codes | given))


def assert_same(a, b):
    for name in (*CONSTITUENT_WORDS, *JET_WORDS, "multiplicity"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def one_particle(pt, eta, phi):
    """A jet with a single constituent that carries its whole momentum."""
    momentum = np.array([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    return Jets(four_momenta=momentum[None, None], jet_four_momentum=momentum[None], multiplicity=[1])


class TestFormats:
    def test_units(self):
        assert (CMS_CORRELATOR.pt_lsb_gev, GLOBAL_TRIGGER.pt_lsb_gev) == (0.25, 1 / 32)
        assert CMS_CORRELATOR.angle_lsb * 720 == pytest.approx(np.pi)
        assert GLOBAL_TRIGGER.angle_lsb * 4096 == pytest.approx(np.pi)
        assert CMS_CORRELATOR.turn == 1440

    @FORMATS
    def test_a_turn_fits_its_word(self, scales):
        assert scales.phi.low <= -scales.half_turn
        assert scales.half_turn - 1 <= scales.phi.high


class TestRoundTrip:
    @FORMATS
    def test_every_phi_code(self, scales):
        codes = np.arange(-scales.half_turn, scales.half_turn)
        column = np.full(len(codes), 400)
        given = Level1Jets(
            format=scales,
            pt=column[:, None],
            eta=codes[::-1, None] % 100,
            phi=codes[:, None],
            jet_pt=column,
            jet_eta=codes % 90,
            jet_phi=codes,
            jet_mass=column // 3,
            multiplicity=np.ones(len(codes), int),
        )
        assert_same(to_level1(from_level1(given), scales), given)

    @FORMATS
    def test_every_pt_code(self, scales):
        codes = np.arange(1, scales.pt.high + 1)
        angles = codes % 1400 - 700
        given = Level1Jets(
            format=scales,
            pt=codes[:, None],
            eta=angles[:, None],
            phi=angles[:, None],
            jet_pt=codes,
            jet_eta=angles,
            jet_phi=-angles,
            jet_mass=codes[::-1],
            multiplicity=np.ones(len(codes), int),
        )
        assert_same(to_level1(from_level1(given), scales), given)

    @FORMATS
    @settings(derandomize=True, deadline=None, max_examples=150)
    @given(data=st.data())
    def test_any_jet(self, scales, data):
        """Within |eta| < 5: beyond that, the mass of a jet is lost in the rounding of its energy."""

        def codes(low, high, *shape):
            return data.draw(arrays(np.int64, shape, elements=st.integers(low, high)))

        far = int(5 / scales.angle_lsb)
        half = scales.half_turn
        given_words = Level1Jets(
            format=scales,
            pt=codes(0, scales.pt.high, 2, 5),
            eta=codes(scales.eta.low, scales.eta.high, 2, 5),
            phi=codes(-half, half - 1, 2, 5),
            jet_pt=codes(1, scales.pt.high, 2),
            jet_eta=codes(-far, far, 2),
            jet_phi=codes(-half, half - 1, 2),
            jet_mass=codes(0, scales.pt.high, 2),
            multiplicity=[5, 7],
        )
        assert_same(to_level1(from_level1(given_words), scales), given_words)

    def test_the_order_is_no_news(self, caplog):
        with caplog.at_level("INFO", logger="nanopelican_hls"):
            from_level1(to_level1(read_jets(sample_path(), 500)))
        assert not caplog.messages

    @FORMATS
    def test_the_sample(self, scales):
        jets = read_jets(sample_path(), 500)
        first = to_level1(jets, scales)
        assert_same(to_level1(from_level1(first), scales), first)
        pt = np.hypot(*jets.four_momenta[..., 1:3].transpose(2, 0, 1))
        np.testing.assert_array_equal(first.pt, -np.sort(-np.rint(pt / scales.pt_lsb_gev)))
        np.testing.assert_array_equal(first.labels, jets.labels)


class TestRounding:
    @pytest.mark.parametrize(("pt_gev", "code"), [(10.0, 40), (10.1, 40), (10.125, 40), (10.375, 42), (10.13, 41)])
    def test_ties_of_pt_to_even(self, pt_gev, code):
        assert to_level1(one_particle(pt_gev, 0.0, 0.0)).pt == code

    @FORMATS
    @pytest.mark.parametrize("codes", [0.4, 0.6, -0.4, -0.6, 1.499, 100.6])
    def test_phi_to_the_nearest(self, scales, codes):
        phi = to_level1(one_particle(50.0, 0.0, codes * scales.angle_lsb), scales).phi
        assert phi == round(codes)

    @FORMATS
    def test_phi_goes_round(self, scales):
        for codes, expected in ((0.4, -1), (0.6, -1), (1.0, -1)):
            below_pi = np.pi - codes * scales.angle_lsb
            phi = to_level1(one_particle(50.0, 0.0, below_pi), scales).phi.item()
            assert phi == (-scales.half_turn if codes < 0.5 else scales.half_turn + expected)
        assert to_level1(one_particle(50.0, 0.0, np.pi), scales).phi == -scales.half_turn
        assert to_level1(one_particle(50.0, 0.0, -np.pi), scales).phi == -scales.half_turn

    @FORMATS
    def test_pt_and_eta_saturate(self, scales):
        high = to_level1(one_particle(1e5, 11.0, 0.0), scales)
        assert (high.pt, high.eta, high.jet_pt) == (scales.pt.high, scales.eta.high, scales.pt.high)
        assert to_level1(one_particle(100.0, -11.0, 0.0), scales).eta == scales.eta.low

    def test_along_the_beam(self):
        beam = np.array([50.0, 0.0, 0.0, 50.0])
        got = to_level1(Jets(four_momenta=beam[None, None], jet_four_momentum=beam[None], multiplicity=[1]))
        assert (got.pt, got.eta, got.jet_eta) == (0, 0, CMS_CORRELATOR.eta.high)

    def test_no_pt_is_padding(self):
        got = to_level1(one_particle(0.12, 1.0, 1.0))
        assert (got.pt, got.eta, got.phi) == (0, 0, 0)


class TestJet:
    def test_eta_is_the_rapidity(self):
        jets = read_jets(sample_path(), 200)
        energy, _, _, pz = jets.jet_four_momentum.T
        codes = np.rint(np.arctanh(pz / energy) / CMS_CORRELATOR.angle_lsb)
        np.testing.assert_array_equal(to_level1(jets).jet_eta, codes)

    def test_mass(self):
        jets = read_jets(sample_path(), 200)
        energy, px, py, pz = jets.jet_four_momentum.T
        codes = np.rint(np.sqrt(energy**2 - px**2 - py**2 - pz**2) * 4)
        np.testing.assert_array_equal(to_level1(jets).jet_mass, codes)

    def test_empty(self):
        nothing = to_level1(
            Jets(four_momenta=np.zeros((1, 2, 4)), jet_four_momentum=np.zeros((1, 4)), multiplicity=[0])
        )
        for word in (*CONSTITUENT_WORDS, *JET_WORDS):
            assert not getattr(nothing, word).any()
        assert not from_level1(nothing).four_momenta.any()


class TestWholeSample:
    """The figures of docs/level1.md on the shipped sample."""

    def test_the_rapidity_of_the_jet_is_the_mean_of_its_constituents(self):
        jets = read_jets(sample_path())
        energy, px, py, pz = jets.jet_four_momentum.T
        pt = np.hypot(*jets.four_momenta[..., 1:3].transpose(2, 0, 1))
        eta = np.arcsinh(np.divide(jets.four_momenta[..., 3], pt, out=np.zeros_like(pt), where=pt > 0))
        mean = (pt * eta).sum(axis=1) / pt.sum(axis=1)
        for axis, codes in ((np.arctanh(pz / energy), 1.7), (np.arcsinh(pz / np.hypot(px, py)), 5.3)):
            assert np.sqrt(np.mean((axis - mean) ** 2)) / CMS_CORRELATOR.angle_lsb == pytest.approx(codes, abs=0.05)

    @pytest.mark.parametrize(("codes", "percent"), [(63, 11), (127, 0.6), (191, 0)])
    def test_share_of_pt_far_from_the_axis(self, codes, percent):
        said = to_level1(read_jets(sample_path())).leading(8)
        d_phi = said.phi - said.jet_phi[:, None]
        d_phi = np.abs((d_phi + CMS_CORRELATOR.half_turn) % CMS_CORRELATOR.turn - CMS_CORRELATOR.half_turn)
        far = np.maximum(np.abs(said.eta - said.jet_eta[:, None]), d_phi) > codes
        assert 100 * said.pt[far].sum() / said.pt.sum() == pytest.approx(percent, rel=0.05)


class TestContainer:
    def test_order(self):
        got = words(pt=[[3, 0, 9, 3, 3]], eta=[[5, 7, 1, -2, 5]], phi=[[4, 7, 1, 0, -4]])
        assert got.pt.tolist() == [[9, 3, 3, 3, 0]]
        assert got.eta.tolist() == [[1, -2, 5, 5, 0]]
        assert got.phi.tolist() == [[1, 0, -4, 4, 0]]

    def test_leading(self):
        got = words(pt=[[3, 9]], eta=[[5, 1]], phi=[[4, 1]])
        assert got.leading(1).pt.tolist() == [[9]]
        assert got.leading(3).eta.tolist() == [[1, 5, 0]]
        with pytest.raises(JetsError, match="cannot keep 0 constituents"):
            got.leading(0)

    def test_selection(self):
        many = to_level1(read_jets(sample_path(), 20))
        assert_same(many[5:9], many[np.arange(5, 9)])
        assert len(many[np.arange(20) % 2 == 0]) == 10

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"pt": [[1.5]]}, "pt: must be integers, not float64"),
            ({"pt": [4]}, r"pt: must have shape \[jets, constituents\], not \[1\]"),
            ({"eta": [[1, 2]]}, r"eta: must have shape \[1, 1\], not \[1, 2\]"),
            ({"pt": [[1 << 14]]}, "jet 0, constituent 0: pt is 16384, outside 0 to 16383"),
            ({"phi": [[720]]}, "jet 0, constituent 0: phi is 720, outside -720 to 719"),
            ({"jet_mass": [-1]}, "jet 0: jet_mass is -1, outside 0 to 16383"),
            ({"jet_eta": [2048]}, "jet 0: jet_eta is 2048, outside -2048 to 2047"),
        ],
    )
    def test_what_is_refused(self, given, message):
        with pytest.raises(JetsError, match=message):
            words(**given)


class TestWords:
    """Words of 64 bits, as a trigger sends them."""

    @pytest.fixture
    def sent(self, jets):
        return to_level1(jets)

    def test_there_and_back(self, sent):
        candidates, jets = pack(sent, sent.pt.shape[1])
        assert candidates.dtype == jets.dtype == np.uint64
        found = unpack(candidates, jets, sent.format)
        for name in ("pt", "eta", "phi", "jet_pt", "jet_eta", "jet_phi", "jet_mass", "multiplicity"):
            np.testing.assert_array_equal(getattr(found, name), getattr(sent, name), err_msg=name)

    def test_bits_by_hand(self):
        one = np.array([[5]]), np.array([[-3]]), np.array([[-720]])
        jet = {"jet_pt": [9], "jet_eta": [-1], "jet_phi": [2], "jet_mass": [3]}
        made = Level1Jets(
            format=CMS_CORRELATOR,
            **dict(zip(("pt", "eta", "phi"), one, strict=True)),
            **{name: np.array(value) for name, value in jet.items()},
            multiplicity=np.array([300]),
        )
        candidates, jets = pack(made, 2)
        assert candidates.tolist() == [[5 | (4096 - 3) << 14 | (2048 - 720) << 26, 0]]
        assert jets.tolist() == [9 | 4095 << 14 | 2 << 26 | 255 << 37 | 3 << 45]

    def test_other_bits_are_passed_over(self, sent):
        candidates, jets = pack(sent, 4)
        noise = np.random.default_rng(1).integers(0, 1 << 27, candidates.shape, dtype=np.uint64) << np.uint64(37)
        found = unpack(candidates | noise, jets | np.uint64(31 << 59), sent.format)
        np.testing.assert_array_equal(found.phi, sent.leading(4).phi)
        np.testing.assert_array_equal(found.jet_mass, sent.jet_mass)

    def test_a_format_without_words(self, sent):
        bare = dataclasses.replace(sent.format, candidate=None)
        with pytest.raises(JetsError, match="has no words of candidates and jets"):
            pack(dataclasses.replace(sent, format=bare), 4)

    @pytest.mark.parametrize(
        ("bits", "fields", "message"),
        [
            (
                64,
                {"pt": (0, 14), "eta": (13, 12)},
                "field 'eta': begins at bit 13, inside of 'pt', which ends",
            ),
            (64, {"phi": (54, 11)}, "field 'phi': bits 54 to 64 leave the word, which has bits 0 to 63"),
            (64, {"pt": (-1, 14)}, "field 'pt': bits -1 to 12 leave the word"),
            (64, {"pt": (3, 0)}, "field 'pt': bits 3 to 2 leave the word"),
            (64, {"pt": (0.5, 14)}, "field 'pt': has bits from 0.5, 14 of them"),
            (65, {}, "a word has 1 to 64 bits, not 65"),
        ],
    )
    def test_fields_that_cannot_be(self, bits, fields, message):
        with pytest.raises(ConfigError, match=re.escape(message)):
            WordFormat(bits, fields)

    def test_fields_of_another_width(self):
        with pytest.raises(ConfigError, match="field 'jet_pt': has 12 bits, but the format's has 14"):
            dataclasses.replace(
                CMS_CORRELATOR, jet=WordFormat(64, dict(CMS_CORRELATOR.jet.fields) | {"jet_pt": (0, 12)})
            )

    def test_fields_that_are_missing(self):
        fields = dict(CMS_CORRELATOR.candidate.fields)
        del fields["eta"]
        with pytest.raises(ConfigError, match="cms_correlator: field 'eta': is missing"):
            dataclasses.replace(CMS_CORRELATOR, candidate=WordFormat(64, fields))

    def test_words_of_other_types(self, sent):
        candidates, jets = pack(sent, 4)
        found = unpack(candidates.astype(np.int64), jets.tolist(), sent.format)
        np.testing.assert_array_equal(found.eta, sent.leading(4).eta)
        with pytest.raises(JetsError, match="candidates: are no integers"):
            unpack(candidates.astype(float), jets, sent.format)

from __future__ import annotations

import dataclasses
import logging
import re

import numpy as np
import pytest

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import Jets
from nanopelican_hls.jets.container import pt_gev

PHOTON = (5.0, 3.0, 0.0, 4.0)


def one_jet(*constituents, jet=(100.0, 60.0, 0.0, 70.0), multiplicity=None, label=1):
    momenta = np.array([constituents], dtype=np.float64)
    count = np.count_nonzero(momenta[..., 0]) if multiplicity is None else multiplicity
    return Jets(four_momenta=momenta, jet_four_momentum=np.array([jet]), multiplicity=[count], labels=[label])


class TestTypes:
    def test_arrays_have_the_documented_types(self, jets):
        assert jets.four_momenta.dtype == jets.jet_four_momentum.dtype == np.float64
        assert jets.multiplicity.dtype == np.int64
        assert jets.labels.dtype == np.int8

    def test_is_frozen(self, jets):
        with pytest.raises(dataclasses.FrozenInstanceError):
            jets.labels = None


class TestSelection:
    def test_slice(self, jets):
        part = jets[2:5]
        assert len(part) == 3
        assert np.array_equal(part.four_momenta, jets.four_momenta[2:5])
        assert np.array_equal(part.jet_four_momentum, jets.jet_four_momentum[2:5])
        assert part.multiplicity.tolist() == jets.multiplicity[2:5].tolist()
        assert part.labels.tolist() == [0, 1, 0]

    def test_index_array_mask_and_position(self, jets):
        assert jets[np.array([7, 3])].multiplicity.tolist() == [12, 8]
        assert np.array_equal(jets[jets.labels == 1].four_momenta, jets.four_momenta[1::2])
        assert jets[-1].multiplicity.tolist() == [16]

    def test_may_be_empty(self, jets):
        assert len(jets[4:4]) == 0
        assert jets[4:4].leading(3).four_momenta.shape == (0, 3, 4)

    def test_without_labels(self, jets):
        assert dataclasses.replace(jets, labels=None)[:3].labels is None

    def test_outside(self, jets):
        with pytest.raises(IndexError):
            jets[12]

    def test_iteration_gives_single_jets(self, jets):
        assert [len(jet) for jet in jets] == [1] * 12


class TestLeading:
    def test_keeps_the_leading_and_counts_the_cut_jets(self, jets, caplog):
        with caplog.at_level(logging.INFO, logger="nanopelican_hls"):
            cut = jets.leading(8)
        assert np.array_equal(cut.four_momenta, jets.four_momenta[:, :8])
        assert caplog.messages == ["6 of 12 jets have more than 8 constituents: keeping the leading 8 in pT"]

    def test_the_jet_and_its_multiplicity_stay(self, jets):
        cut = jets.leading(2)
        assert np.array_equal(cut.jet_four_momentum, jets.jet_four_momentum)
        assert np.array_equal(cut.multiplicity, jets.multiplicity)

    def test_pads_with_zeros(self, jets, caplog):
        with caplog.at_level(logging.INFO, logger="nanopelican_hls"):
            wide = jets.leading(20)
        assert np.array_equal(wide.four_momenta[:, :16], jets.four_momenta)
        assert not wide.four_momenta[:, 16:].any()
        assert not caplog.messages

    def test_cutting_padding_is_silent(self, jets, caplog):
        with caplog.at_level(logging.INFO, logger="nanopelican_hls"):
            assert jets.leading(14).four_momenta.shape == (12, 14, 4)
        assert not caplog.messages

    def test_keeps_the_hardest_of_unordered_constituents(self):
        soft, hard = (1.0, 1.0, 0.0, 0.0), (9.0, 0.0, 9.0, 0.0)
        assert one_jet(soft, PHOTON, hard).leading(2).four_momenta[0].tolist() == [list(hard), list(PHOTON)]

    @pytest.mark.parametrize("n", [0, -3])
    def test_refuses_none(self, jets, n):
        with pytest.raises(JetsError, match=f"cannot keep {n} constituents"):
            jets.leading(n)


class TestOrder:
    def test_unordered_constituents_are_sorted_and_logged(self, jets, caplog):
        shuffled = jets.four_momenta[:, np.random.default_rng(1).permutation(16)]
        with caplog.at_level(logging.INFO, logger="nanopelican_hls"):
            ordered = dataclasses.replace(jets, four_momenta=shuffled)
        assert np.array_equal(ordered.four_momenta, jets.four_momenta)
        assert caplog.messages == ["12 of 12 jets had constituents out of pT order: sorted them"]

    def test_ordered_constituents_are_left_alone(self, jets, caplog):
        with caplog.at_level(logging.INFO, logger="nanopelican_hls"):
            dataclasses.replace(jets)
        assert not caplog.messages
        assert (np.diff(pt_gev(jets.four_momenta), axis=1) <= 0).all()

    def test_padding_in_the_middle_moves_to_the_end(self):
        soft = (1.0, 1.0, 0.0, 0.0)
        jet = one_jet(PHOTON, (0.0,) * 4, soft)
        assert jet.four_momenta[0].tolist() == [list(PHOTON), list(soft), [0.0] * 4]

    def test_equal_pt_keeps_its_order(self):
        pz = np.random.default_rng(4).normal(size=64)
        alike = [(np.hypot(5.0, z), 3.0, -4.0, z) for z in pz]
        assert one_jet((0.0,) * 4, *alike).four_momenta[0, :64, 3].tolist() == pz.tolist()


class TestRefused:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_not_finite(self, jets, bad):
        jets.four_momenta[4, 2, 1] = bad
        with pytest.raises(JetsError, match=r"^jet 4, constituent 2: .* contains a NaN or infinity"):
            dataclasses.replace(jets)

    def test_negative_energy(self):
        with pytest.raises(JetsError, match=r"^jet 0, constituent 1: the energy is negative: -5 GeV"):
            one_jet(PHOTON, (-5.0, 3.0, 0.0, 4.0))

    def test_space_like_says_by_how_much(self):
        message = r"^jet 0, constituent 0: \(E, px, py, pz\) = \(4, 3, 0, 4\) GeV is space-like: |p| exceeds E by 1 GeV"
        with pytest.raises(JetsError, match=message.replace("|", r"\|")):
            one_jet((4.0, 3.0, 0.0, 4.0), PHOTON)

    def test_momentum_without_energy(self):
        with pytest.raises(JetsError, match="space-like"):
            one_jet((0.0, 3.0, 0.0, 4.0))

    def test_rounding_to_float32_is_tolerated_and_little_more(self):
        rng = np.random.default_rng(3)
        p = rng.normal(size=(1000, 1, 3))
        energy = np.linalg.norm(p, axis=-1, keepdims=True)
        stored = np.concatenate([energy, p], axis=-1).astype(np.float32)
        Jets(four_momenta=stored, jet_four_momentum=stored[:, 0], multiplicity=np.ones(1000, int))
        stored[..., 0] *= 1 - 3e-6
        with pytest.raises(JetsError, match="space-like"):
            Jets(four_momenta=stored, jet_four_momentum=stored[:, 0] * 0, multiplicity=np.ones(1000, int))

    @pytest.mark.parametrize("jet", [(np.nan, 0, 0, 0), (-1.0, 0, 0, 0), (1.0, 2.0, 0, 0)])
    def test_the_whole_jet_too(self, jet):
        with pytest.raises(JetsError, match=r"^jet 0, the whole jet: "):
            one_jet(PHOTON, jet=jet)

    @pytest.mark.parametrize("shape", [(2, 3), (2, 3, 5), (2, 0, 4), (2, 3, 4, 1)])
    def test_shape_of_the_momenta(self, shape):
        with pytest.raises(JetsError, match=re.escape(f"[jets, constituents, 4], not {list(shape)}")):
            Jets(four_momenta=np.zeros(shape), jet_four_momentum=np.zeros((2, 4)), multiplicity=[0, 0])

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("jet_four_momentum", np.zeros((11, 4))),
            ("jet_four_momentum", np.zeros((12, 3))),
            ("multiplicity", np.full(11, 20)),
            ("labels", np.zeros((12, 1), int)),
        ],
    )
    def test_lengths_that_disagree(self, jets, name, value):
        with pytest.raises(JetsError, match=f"^{name}: must have shape .* for 12 jets"):
            dataclasses.replace(jets, **{name: value})

    @pytest.mark.parametrize("label", [2, -1, 256, 257])
    def test_labels(self, label):
        with pytest.raises(JetsError, match=f"^jet 0: the label is {label}"):
            one_jet(PHOTON, label=label)

    @pytest.mark.parametrize("label", [3, -1, 259])
    def test_labels_of_classes(self, jets, label):
        classes = ("g", "W", "t")
        three = dataclasses.replace(jets, labels=np.arange(12) % 3, classes=list(classes))
        assert three.classes == three[2:5].classes == three.leading(4).classes == classes
        assert three[2:5].labels.tolist() == [2, 0, 1]
        with pytest.raises(JetsError, match=f"^jet 0: the label is {label}\n  remedy: labels are 0 to 2, for g, W, t"):
            dataclasses.replace(three, labels=np.full(12, label))

    def test_more_than_two_classes_are_not_binary(self, jets):
        two = dataclasses.replace(jets, classes=("g", "t"))
        assert two.binary_labels("set").tolist() == jets.binary_labels("set").tolist() == [0, 1] * 6
        assert dataclasses.replace(jets, labels=None, classes=("g", "W", "t")).binary_labels("set") is None
        with pytest.raises(JetsError) as caught:
            dataclasses.replace(jets, classes=("g", "W", "t")).binary_labels("a.h5")
        assert str(caught.value) == (
            "a.h5: has 3 classes (g, W, t), but signal and background are needed\n"
            "  remedy: choose the signal with read_jets(path, signal=[...]) and write these jets with write_jets"
        )

    def test_labels_of_the_classes_of_a_network(self, jets):
        three = dataclasses.replace(jets, labels=np.arange(12) % 3, classes=("g", "W", "t"))
        assert jets.labels_of((), "a.h5").tolist() == [0, 1] * 6
        assert three.labels_of(("g", "W", "t"), "a.h5").tolist() == [0, 1, 2] * 4
        assert dataclasses.replace(jets, labels=None).labels_of(("g", "W", "t"), "a.h5") is None
        for given, has in ((three, "the classes g, W, t"), (jets, "signal and background")):
            with pytest.raises(JetsError, match=f"^a.h5: has {has}, but the network has W, g, t"):
                given.labels_of(("W", "g", "t"), "a.h5")

    def test_multiplicity_below_the_constituents_present(self):
        with pytest.raises(JetsError, match=r"^jet 0: the multiplicity is 1, but 2 constituents are present"):
            one_jet(PHOTON, PHOTON, multiplicity=1)

    def test_multiplicity_that_is_no_integer(self):
        with pytest.raises(JetsError, match="must be integers, not float64"):
            one_jet(PHOTON, multiplicity=1.5)

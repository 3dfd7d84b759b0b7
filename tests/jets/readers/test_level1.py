from __future__ import annotations

import dataclasses
import logging

import h5py
import numpy as np
import pytest
from jet_files import assert_same_jets

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import read_jets
from nanopelican_hls.jets.hdf5 import write_level1
from nanopelican_hls.jets.level1 import LEVEL1_FORMATS, Level1Jets, from_level1, to_level1


@pytest.fixture(params=LEVEL1_FORMATS)
def words(request, jets) -> Level1Jets:
    return to_level1(jets, LEVEL1_FORMATS[request.param])


@pytest.fixture
def path(tmp_path, words):
    path = tmp_path / "words.h5"
    write_level1(path, words, {"origin": "test"})
    return path


def spoil(path, name, value) -> None:
    with h5py.File(path, "r+") as file:
        del file[name]
        if value is not None:
            file[name] = value


def refused(path, what, **arguments) -> JetsError:
    with pytest.raises(JetsError, match=what) as caught:
        read_jets(path, **arguments)
    assert str(path) in caught.value.where
    assert caught.value.remedy
    return caught.value


class TestRoundTrip:
    def test_gives_the_same_words(self, path, words):
        again = to_level1(read_jets(path), words.format)
        for field in dataclasses.fields(Level1Jets):
            assert np.array_equal(getattr(again, field.name), getattr(words, field.name)), field.name

    def test_gives_what_the_words_say(self, path, words):
        assert_same_jets(read_jets(path), from_level1(words))

    def test_attributes(self, path, words):
        with h5py.File(path, "r") as file:
            assert dict(file.attrs) == {"origin": "test", "level1_format": words.format.name}

    def test_every_code_of_every_format_fits_its_type(self):
        for scales in LEVEL1_FORMATS.values():
            assert scales.pt_bits <= 16
            assert max(scales.eta_bits, scales.phi_bits) <= 16


class TestOptional:
    def test_no_labels(self, path, caplog):
        spoil(path, "is_signal", None)
        with caplog.at_level(logging.WARNING, logger="nanopelican_hls"):
            assert read_jets(path).labels is None
        assert caplog.messages == [f"{path} has no labels (is_signal): AUC will be skipped"]

    def test_no_multiplicity(self, path, words):
        spoil(path, "Nobj_all", None)
        assert read_jets(path).multiplicity.tolist() == np.count_nonzero(words.pt, axis=1).tolist()

    def test_without_labels_to_write(self, tmp_path, words):
        write_level1(tmp_path / "none.h5", dataclasses.replace(words, labels=None), {})
        with h5py.File(tmp_path / "none.h5", "r") as file:
            assert "is_signal" not in file


class TestBadFile:
    def test_format(self, path):
        with h5py.File(path, "r+") as file:
            file.attrs["level1_format"] = "atlas"
        refused(path, "is in an unknown Level-1 format, 'atlas'")

    @pytest.mark.parametrize(
        "value", [np.void(b"atlas"), np.zeros((2, 2)), h5py.Empty("f8"), np.array(["a", "b"], "S4")]
    )
    def test_format_that_is_no_text(self, path, value):
        with h5py.File(path, "r+") as file:
            file.attrs["level1_format"] = value
        refused(path, "is in an unknown Level-1 format, ")

    def test_format_in_bytes(self, path):
        """As C++ writes it."""
        expected = read_jets(path).four_momenta
        with h5py.File(path, "r+") as file:
            file.attrs["level1_format"] = np.bytes_(file.attrs["level1_format"])
        np.testing.assert_array_equal(read_jets(path).four_momenta, expected)

    def test_missing_words(self, path):
        spoil(path, "phi", None)
        spoil(path, "jet_mass", None)
        refused(path, "has no dataset phi, jet_mass; it has Nobj_all, ")

    def test_gev_in_place_of_codes(self, path):
        spoil(path, "pt", np.ones((12, 16)))
        refused(path, "pt: must be integers, not float64")

    def test_code_outside_the_format(self, path):
        with h5py.File(path, "r+") as file:
            file["phi"][3, 1] = 5000
        assert refused(path, "phi is 5000, outside").where == f"{path}: jet 3, constituent 1"

    @pytest.mark.parametrize(("name", "shape"), [("pt", (12,)), ("jet_pt", (12, 2)), ("eta", (12, 15))])
    def test_shape(self, path, name, shape):
        spoil(path, name, np.zeros(shape, int))
        refused(path, f"{name}: must have shape")

    def test_lengths_that_disagree(self, path):
        spoil(path, "jet_phi", np.zeros(11, int))
        refused(path, "differ in their number of jets: .*jet_phi 11")

    def test_labels_of_another_convention(self, path):
        spoil(path, "is_signal", np.full(12, 2))
        refused(path, "the label is 2")

    def test_classes_cannot_be_chosen(self, path):
        refused(path, "the classes t cannot be chosen", signal=["t"])

    def test_several_classes(self, path, words):
        three = dataclasses.replace(words, labels=np.arange(12) % 3, classes=("g", "W", "t"))
        write_level1(path, three[:11], {}, force=True)
        read = read_jets(path)
        assert (read.classes, read.labels.tolist()) == (three.classes, three.labels[:11].tolist())
        assert to_level1(read).classes == three.leading(3).classes == three.classes
        assert read_jets(path, classes=("t", "w", "g")).labels.tolist() == (2 - three.labels[:11]).tolist()

    def test_an_existing_file(self, path, words):
        before = path.read_bytes()
        with pytest.raises(JetsError, match="already exists") as caught:
            write_level1(path, words, {})
        assert "force" in caught.value.remedy
        assert path.read_bytes() == before
        write_level1(path, words[:3], {}, force=True)
        assert len(read_jets(path)) == 3

from __future__ import annotations

import h5py
import numpy as np
import pytest
from jet_files import write_lhc_jets

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import iterate_jets, read_jets


@pytest.fixture
def path(tmp_path, jets):
    path = tmp_path / "lhc.h5"
    write_lhc_jets(path, jets)
    return path


def replaced(path, name, value) -> None:
    with h5py.File(path, "r+") as file:
        del file[name]
        if value is not None:
            file[name] = value


def content(path, name):
    with h5py.File(path, "r") as file:
        return file[name][...]


def refused(path, what, **arguments) -> JetsError:
    with pytest.raises(JetsError, match=what) as caught:
        read_jets(path, **arguments)
    assert str(path) in caught.value.where
    assert caught.value.remedy
    return caught.value


class TestClasses:
    """Of the twelve jets 0 to 11, the odd ones are t and the others cycle through g, q, w, z."""

    def test_top_is_signal(self, path):
        assert read_jets(path).labels.tolist() == [0, 1] * 6

    def test_others_can_be(self, path):
        assert read_jets(path, signal=["w", "z"]).labels.tolist() == [0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]
        assert next(iterate_jets(path, 4, signal=["g"])).labels.tolist() == [1, 0, 0, 0]

    def test_the_choice_is_logged(self, path, caplog):
        with caplog.at_level("INFO", logger="nanopelican_hls"):
            read_jets(path)
        assert caplog.messages == [f"{path}: signal is t, all other classes are background"]

    def test_unknown(self, path):
        refused(path, "has no class 'top'; its classes are g, q, w, z, t", signal=["top"])

    def test_none(self, path):
        refused(path, "has no class chosen as signal", signal=[])

    def test_all(self, path):
        refused(path, "every class is chosen as signal", signal=["g", "q", "w", "z", "t"])

    def test_each_with_a_label(self, path):
        read = read_jets(path, classes=("g", "q", "W", "Z", "t"))
        assert read.classes == ("g", "q", "W", "Z", "t")
        assert read.labels.tolist() == [0, 4, 1, 4, 2, 4, 3, 4, 0, 4, 1, 4]
        assert read[:5].classes == read.leading(3).classes == read.classes

    def test_in_another_order_in_chunks(self, path):
        chunks = iterate_jets(path, 5, classes=["t", "g", "z", "w", "q"])
        assert [c.labels.tolist() for c in chunks] == [[1, 0, 4, 0, 3], [0, 2, 0, 1, 0], [4, 0]]

    def test_a_class_that_no_name_is_given_for(self, path):
        error = refused(path, "its class is w, which is none of g, q, t", classes=("g", "q", "t"))
        assert error.where == f"{path}: jet 4"
        assert read_jets(path, 4, classes=("g", "q", "t")).labels.tolist() == [0, 2, 1, 2]

    def test_a_name_that_no_class_has(self, path):
        refused(path, "has no class 'H', 'b'; its classes are g, q, w, z, t", classes=("t", "b", "H"))

    @pytest.mark.parametrize(("names", "what"), [((), "name none"), (("W", "t", "w"), "name one twice: W, t, w")])
    def test_not_a_choice(self, path, names, what):
        with pytest.raises(JetsError, match=f"^classes: {what}"):
            read_jets(path, classes=names)

    def test_signal_and_classes(self, path):
        with pytest.raises(JetsError, match="signal and classes: are both given"):
            read_jets(path, signal=["t"], classes=("t", "g"))

    @pytest.mark.parametrize("row", [(0, 0, 0, 0, 0), (1, 0, 0, 0, 1), (0.5, 0, 0, 0, 0.5), (0, 0, 2, -1, 0)])
    def test_another_convention(self, path, row):
        features = content(path, "jets")
        features[3, -6:-1] = row
        replaced(path, "jets", features)
        shown = ", ".join(f"{name} {value:g}" for name, value in zip("gqwzt", row, strict=True))
        assert refused(path, f"its classes are not one-hot: {shown}").where == f"{path}: jet 3"


class TestColumns:
    def test_are_found_by_name(self, path, jets):
        replaced(path, "jetConstituentList", content(path, "jetConstituentList")[..., ::-1])
        replaced(path, "particleFeatureNames", content(path, "particleFeatureNames")[15::-1])
        assert np.array_equal(read_jets(path).four_momenta, jets.four_momenta)

    def test_missing(self, path):
        names = content(path, "particleFeatureNames")
        names[3] = b"j1_m"
        replaced(path, "particleFeatureNames", names)
        error = refused(path, "has no column j1_e; it has j1_px, j1_py, j1_pz, j1_m, ")
        assert error.where == f"{path}: particleFeatureNames"

    def test_missing_class(self, path):
        names = content(path, "jetFeatureNames")
        names[-2] = b"j_b"
        replaced(path, "jetFeatureNames", names)
        refused(path, "has no column j_t; it has ")

    def test_names_that_are_none(self, path):
        """Found by fuzzing."""
        replaced(path, "particleFeatureNames", np.zeros(16))
        assert refused(path, r"must be a list of names, not float64 \[16\]").where == f"{path}: particleFeatureNames"
        replaced(path, "particleFeatureNames", None)
        with h5py.File(path, "r+") as file:
            file.create_group("particleFeatureNames")
        refused(path, "is a group, not a dataset")

    def test_more_names_than_memory(self, path):
        """Found by fuzzing: a declared shape, without the data."""
        replaced(path, "particleFeatureNames", None)
        with h5py.File(path, "r+") as file:
            file.create_dataset("particleFeatureNames", (2**50,), "S8", chunks=(2,))
        refused(path, "declares more data than there is memory")


class TestBadFile:
    def test_no_classes(self, path):
        replaced(path, "jets", None)
        refused(path, "has jetConstituentList, but no dataset 'jets' with the classes")

    @pytest.mark.parametrize("shape", [(12, 16), (12, 16, 3), (12, 0, 16)])
    def test_constituents(self, path, shape):
        replaced(path, "jetConstituentList", np.zeros(shape))
        refused(path, "must be numbers of shape .jets, constituents, features. with 4 features or more")

    @pytest.mark.parametrize("value", [np.zeros((12, 5)), np.zeros(12), np.full((12, 59), b"t")])
    def test_features(self, path, value):
        replaced(path, "jets", value)
        refused(path, "must be numbers of shape .jets, features. with 6 features or more")

    def test_a_group(self, path):
        replaced(path, "jets", None)
        with h5py.File(path, "r+") as file:
            file.create_group("jets")
        refused(path, "is a group, not a dataset")

    def test_lengths_that_disagree(self, path):
        replaced(path, "jets", np.zeros((11, 59)))
        refused(path, "differ in their number of jets: jetConstituentList 12, jets 11")

from __future__ import annotations

import dataclasses
import logging
import resource
from pathlib import Path

import h5py
import numpy as np
import pytest
from jet_files import assert_same_jets

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import Jets, read_jets, write_jets


@pytest.fixture
def path(tmp_path, jets) -> Path:
    """A valid file, to be corrupted by the tests."""
    path = tmp_path / "jets.h5"
    write_jets(path, jets, {"origin": "test", "seed": 7})
    return path


def spoil(path: Path, name: str, value) -> None:
    """Replace a dataset, or remove it (None)."""
    with h5py.File(path, "r+") as file:
        if name in file:
            del file[name]
        if value is not None:
            file[name] = value


def content(path: Path, name: str):
    with h5py.File(path, "r") as file:
        return file[name][...]


class TestRoundTrip:
    def test_gives_the_same_jets(self, path, jets):
        assert_same_jets(read_jets(path), jets)

    def test_first_events(self, path, jets):
        assert_same_jets(read_jets(path, 5), jets[:5])
        assert len(read_jets(path, 1000)) == 12

    @pytest.mark.parametrize("events", [0, -1])
    def test_no_events(self, path, events):
        with pytest.raises(JetsError, match=f"cannot read {events} jets"):
            read_jets(path, events)

    def test_attributes(self, path):
        with h5py.File(path, "r") as file:
            assert dict(file.attrs) == {"origin": "test", "seed": 7}

    def test_without_labels(self, tmp_path, jets):
        write_jets(tmp_path / "unlabelled.h5", dataclasses.replace(jets, labels=None), {})
        with h5py.File(tmp_path / "unlabelled.h5", "r") as file:
            assert "is_signal" not in file

    def test_both_multiplicities(self, path, jets):
        assert content(path, "Nobj").tolist() == list(range(3, 15))
        assert content(path, "Nobj_all").tolist() == jets.multiplicity.tolist()

    def test_same_bytes_again(self, path, jets):
        before = path.read_bytes()
        write_jets(path, jets, {"origin": "test", "seed": 7}, force=True)
        assert path.read_bytes() == before


class TestOptionalDatasets:
    def test_no_labels(self, path, caplog):
        spoil(path, "is_signal", None)
        assert read_jets(path).labels is None
        assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
            ("WARNING", f"{path} has no labels (is_signal): AUC will be skipped")
        ]

    def test_no_whole_jet(self, path, jets, caplog):
        spoil(path, "jet_Pmu", None)
        with caplog.at_level(logging.INFO, logger="nanopelican_hls"):
            read = read_jets(path)
        assert np.array_equal(read.jet_four_momentum, jets.four_momenta.sum(axis=1))
        assert caplog.messages == [f"{path} has no jet_Pmu: using the sum of the constituents in the file"]

    def test_multiplicity_before_the_cut_is_preferred(self, path):
        spoil(path, "Nobj_all", None)
        assert read_jets(path).multiplicity.tolist() == list(range(3, 15))

    def test_no_multiplicity(self, path):
        spoil(path, "Nobj_all", None)
        spoil(path, "Nobj", None)
        assert read_jets(path).multiplicity.tolist() == list(range(3, 15))

    def test_boolean_labels_and_other_datasets(self, path, jets):
        spoil(path, "is_signal", jets.labels.astype(bool))
        spoil(path, "truth_Pmu", np.zeros((12, 4)))
        assert_same_jets(read_jets(path), jets)


class TestClasses:
    """Three classes in turn."""

    CLASSES = ("g", "W", "t")

    @pytest.fixture
    def three(self, jets) -> Jets:
        return dataclasses.replace(jets, labels=np.arange(12) % 3, classes=self.CLASSES)

    @pytest.fixture
    def path(self, tmp_path, three) -> Path:
        write_jets(tmp_path / "jets.h5", three, {"origin": "test"})
        return tmp_path / "jets.h5"

    def refused(self, path: Path, what: str, **arguments) -> None:
        with pytest.raises(JetsError, match=what) as caught:
            read_jets(path, **arguments)
        assert str(path) in caught.value.where
        assert caught.value.remedy

    def test_are_written_and_read(self, path, three):
        assert_same_jets(read_jets(path), three)
        with h5py.File(path, "r") as file:
            assert set(file) == {"Pmu", "jet_Pmu", "Nobj", "Nobj_all", "label"}
            assert file["label"].dtype == np.int8
            assert list(file.attrs["classes"]) == list(self.CLASSES)

    def test_same_bytes_again(self, path, three):
        before = path.read_bytes()
        write_jets(path, three, {"origin": "test"}, force=True)
        assert path.read_bytes() == before

    def test_in_another_order(self, path):
        read = read_jets(path, classes=("T", "g", "w"))
        assert read.classes == ("T", "g", "w")
        assert read.labels.tolist() == [1, 2, 0] * 4

    def test_some_as_signal(self, path):
        read = read_jets(path, signal=["w", "t"])
        assert read.classes is None
        assert read.labels.tolist() == [0, 1, 1] * 4

    def test_names_as_bytes(self, path, three):
        with h5py.File(path, "r+") as file:
            file.attrs["classes"] = np.array([b"g", b"W", b"t"])
        assert_same_jets(read_jets(path), three)

    def test_a_class_that_no_name_is_given_for(self, path):
        self.refused(path, "its class is t, which is none of g, W", classes=("g", "W"))

    def test_a_name_that_no_class_has(self, path):
        self.refused(path, "has no class 'Z'; its classes are g, W, t", classes=("g", "W", "t", "Z"))

    @pytest.mark.parametrize("arguments", [{}, {"classes": ("t", "g", "W")}, {"signal": ["t"]}])
    @pytest.mark.parametrize("label", [3, -1])
    def test_a_label_that_is_no_class(self, path, label, arguments):
        labels = content(path, "label")
        labels[5] = label
        spoil(path, "label", labels)
        with pytest.raises(JetsError, match=f"the label is {label}") as caught:
            read_jets(path, **arguments)
        assert caught.value.where == f"{path}: jet 5"

    @pytest.mark.parametrize("names", ["g", ["g", "W", "G"], np.array(7), [["g", "W", "t"]]])
    def test_names_that_are_none(self, path, names):
        with h5py.File(path, "r+") as file:
            file.attrs["classes"] = names
        self.refused(path, "must be a list of names, each once, not ")

    def test_no_names(self, path, jets, caplog):
        with h5py.File(path, "r+") as file:
            del file.attrs["classes"]
        self.refused(path, "has the dataset label, but does not name its classes")
        spoil(path, "is_signal", jets.labels)
        assert_same_jets(read_jets(path), jets)
        assert (
            "has the dataset label, but does not name its classes (attribute classes): is_signal is read" in caplog.text
        )

    def test_labels_of_signal_may_have_names(self, tmp_path, jets):
        write_jets(tmp_path / "binary.h5", jets, {"origin": "test"})
        assert read_jets(tmp_path / "binary.h5", classes=("top", "qcd")).labels.tolist() == [1, 0] * 6
        with h5py.File(tmp_path / "binary.h5", "r+") as file:
            file.attrs["classes"] = ["qcd", "W"]
        assert_same_jets(read_jets(tmp_path / "binary.h5"), jets)
        read = read_jets(tmp_path / "binary.h5", classes=("W", "qcd"))
        assert (read.classes, read.labels.tolist()) == (("W", "qcd"), [1, 0] * 6)
        self.refused(tmp_path / "binary.h5", "so the classes W cannot be chosen", signal=["W"])
        with h5py.File(tmp_path / "binary.h5", "r+") as file:
            file.attrs["classes"] = ["qcd", "W", "t"]
        self.refused(tmp_path / "binary.h5", "has 3 classes, qcd, W, t, where is_signal has 2")

    def test_without_labels(self, tmp_path, three, caplog):
        write_jets(tmp_path / "none.h5", dataclasses.replace(three, labels=None), {})
        read = read_jets(tmp_path / "none.h5", classes=self.CLASSES)
        assert (read.labels, read.classes) == (None, None)
        assert "has no labels" in caplog.text


class TestConstituents:
    def test_unordered_are_sorted_and_logged(self, path, jets, caplog):
        spoil(path, "Pmu", content(path, "Pmu")[:, ::-1])
        with caplog.at_level(logging.INFO, logger="nanopelican_hls"):
            assert_same_jets(read_jets(path), jets)
        assert caplog.messages == ["12 of 12 jets had constituents out of pT order: sorted them"]

    def test_padding_in_the_middle_is_legal(self, path):
        momenta = content(path, "Pmu")
        momenta[5, 1] = 0
        spoil(path, "Pmu", momenta)
        read = read_jets(path).four_momenta
        assert np.array_equal(read[5], np.concatenate([momenta[5, :1], momenta[5, 2:], momenta[5, 1:2]]))

    @pytest.mark.parametrize(
        ("component", "value", "what"),
        [
            (1, np.nan, "NaN or infinity"),
            (0, np.inf, "NaN or infinity"),
            (0, -3.0, "energy is negative: -3 GeV"),
            (1, 1e6, "space-like"),
        ],
    )
    def test_impossible_momenta(self, path, component, value, what):
        momenta = content(path, "Pmu")
        momenta[3, 1, component] = value
        spoil(path, "Pmu", momenta)
        with pytest.raises(JetsError, match=what) as caught:
            read_jets(path)
        assert caught.value.where == f"{path}: jet 3, constituent 1"
        assert caught.value.remedy

    def test_labels_other_than_0_and_1(self, path):
        spoil(path, "is_signal", np.full(12, 5))
        with pytest.raises(JetsError, match="the label is 5") as caught:
            read_jets(path)
        assert caught.value.where == f"{path}: jet 0"


class TestBadFile:
    def refused(self, path: Path, what: str) -> None:
        with pytest.raises(JetsError, match=what) as caught:
            read_jets(path)
        assert str(path) in caught.value.where
        assert caught.value.remedy

    def test_not_existing(self, tmp_path):
        self.refused(tmp_path / "nothing.h5", "does not exist")

    def test_a_folder(self, tmp_path):
        self.refused(tmp_path, "is a folder")

    def test_empty(self, tmp_path):
        (tmp_path / "empty.h5").touch()
        self.refused(tmp_path / "empty.h5", "is empty")

    def test_not_hdf5(self, tmp_path):
        (tmp_path / "jets.h5").write_text("E,px,py,pz\n")
        self.refused(tmp_path / "jets.h5", "is neither an HDF5 nor a ROOT file")

    @pytest.mark.parametrize("kept", [0.02, 0.3, 0.7, 0.999])
    def test_truncated(self, path, kept):
        data = path.read_bytes()
        path.write_bytes(data[: int(kept * len(data))])
        self.refused(path, "is truncated or damaged")

    def test_damaged_inside(self, path):
        with h5py.File(path, "r") as file:
            chunk = file["Pmu"].id.get_chunk_info(0)
        data = bytearray(path.read_bytes())
        data[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
        path.write_bytes(data)
        self.refused(path, "is truncated or damaged")

    def test_a_name_that_is_listed_but_not_found(self, path):
        """Names are sorted, and looked up accordingly."""
        data = path.read_bytes()
        assert data.count(b"is_signal\0") == 1
        path.write_bytes(data.replace(b"is_signal\0", b"As_signal\0"))
        with h5py.File(path) as file:
            assert "As_signal" in list(file) and file.get("As_signal", getlink=True) is None
        self.refused(path, "is truncated or damaged .*As_signal is listed, but not there")

    def test_foreign_hdf5_lists_its_keys(self, path):
        for name in ("Pmu", "jet_Pmu", "Nobj", "Nobj_all"):
            spoil(path, name, None)
        spoil(path, "jet1_PFCand", np.zeros(3))
        self.refused(path, "has no dataset 'Pmu'; it has 'is_signal', 'jet1_PFCand'")

    def test_hdf5_without_content(self, tmp_path):
        h5py.File(tmp_path / "none.h5", "w").close()
        self.refused(tmp_path / "none.h5", "has no dataset 'Pmu'; it has none at all")

    def test_zero_jets(self, tmp_path):
        with h5py.File(tmp_path / "zero.h5", "w") as file:
            file["Pmu"] = np.zeros((0, 16, 4), np.float32)
        self.refused(tmp_path / "zero.h5", "holds no jets")

    @pytest.mark.parametrize("shape", [(), (12,), (12, 64), (12, 16, 3), (12, 0, 4)])
    def test_shape_of_the_constituents(self, path, shape):
        spoil(path, "Pmu", np.zeros(shape, np.float32))
        self.refused(path, r"Pmu: must have shape \[jets, constituents, 4\], not")

    @pytest.mark.parametrize(
        ("name", "shape"), [("jet_Pmu", (12, 5)), ("Nobj", (12, 1)), ("Nobj_all", ()), ("is_signal", (12, 2))]
    )
    def test_shape_of_the_others(self, path, name, shape):
        value = np.zeros(shape, np.float32 if name == "jet_Pmu" else int)
        spoil(path, name, value)
        self.refused(path, f"{name}: must have shape")

    @pytest.mark.parametrize(
        ("name", "dtype"), [("Pmu", int), ("Pmu", complex), ("jet_Pmu", "S4"), ("Nobj", float), ("is_signal", float)]
    )
    def test_types(self, path, name, dtype):
        spoil(path, name, np.ones(content(path, name).shape).astype(dtype))
        self.refused(path, f"{name}: must be .*, not ")

    def test_a_group_in_place_of_a_dataset(self, path):
        spoil(path, "is_signal", None)
        with h5py.File(path, "r+") as file:
            file.create_group("is_signal")
        self.refused(path, "is_signal: is a group")

    @pytest.mark.parametrize("name", ["jet_Pmu", "Nobj", "is_signal"])
    def test_lengths_that_disagree(self, path, name):
        spoil(path, name, content(path, name)[:11])
        self.refused(path, f"differ in their number of jets: .*Pmu 12.*{name} 11")


class TestWriting:
    def unwritten(self, path: Path, jets: Jets) -> None:
        with pytest.raises(JetsError, match="cannot be written") as caught:
            write_jets(path, jets, {}, force=True)
        assert caught.value.where == str(path)
        assert caught.value.remedy

    def test_no_folder(self, tmp_path, jets):
        self.unwritten(tmp_path / "missing" / "jets.h5", jets)

    def test_a_file_in_place_of_the_folder(self, path, jets):
        self.unwritten(path / "jets.h5", jets)

    def test_a_folder_in_place_of_the_file(self, tmp_path, jets):
        (tmp_path / "jets.h5").mkdir()
        self.unwritten(tmp_path / "jets.h5", jets)
        assert [p.name for p in tmp_path.iterdir()] == ["jets.h5"]

    def test_full_disk_leaves_the_old_file_and_nothing_else(self, path, jets):
        """A limit on the file size stands in for a full disk: both fail in the middle of writing."""
        before = path.read_bytes()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            self.unwritten(path, jets[:6])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path]

    def test_no_jets(self, tmp_path, jets):
        with pytest.raises(JetsError, match="no jets to write"):
            write_jets(tmp_path / "none.h5", jets[:0], {})
        assert not list(tmp_path.iterdir())

    def test_an_existing_file_is_replaced_only_by_force(self, path, jets):
        before = path.read_bytes()
        with pytest.raises(JetsError, match="already exists") as caught:
            write_jets(path, jets[:6], {})
        assert caught.value.where == str(path)
        assert "force=True (--force)" in caught.value.remedy
        assert path.read_bytes() == before
        write_jets(path, jets[:6], {}, force=True)
        assert_same_jets(read_jets(path), jets[:6])

from __future__ import annotations

import h5py
import numpy as np
import pytest
from jet_files import plain, top_tagging_frame, write_top_tagging

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import read_jets


@pytest.fixture
def path(tmp_path):
    return tmp_path / "top.h5"


def refused(path, what, **arguments) -> JetsError:
    with pytest.raises(JetsError, match=what) as caught:
        read_jets(path, **arguments)
    assert str(path) in caught.value.where
    assert caught.value.remedy
    return caught.value


def write(path, frame) -> None:
    frame.to_hdf(path, key="table", mode="w", format="table")


def test_as_published_in_float32(path, jets):
    """200 constituents, the truth momentum and two integers."""
    wide = plain(jets).leading(200)
    write_top_tagging(path, wide, np.float32, complib="blosc", complevel=9)
    with h5py.File(path, "r") as file:
        assert file["table/table"].dtype["values_block_0"].shape == (804,)
        assert file["table/table"].dtype["values_block_1"].shape == (2,)
    read = read_jets(path)
    assert np.array_equal(read.four_momenta, wide.four_momenta)
    assert read.labels.tolist() == jets.labels.tolist()


def test_columns_are_found_by_name(path, jets):
    frame = top_tagging_frame(jets)
    write(path, frame[list(np.random.default_rng(2).permutation(frame.columns))])
    assert np.array_equal(read_jets(path).four_momenta, jets.four_momenta)


@pytest.mark.parametrize("column", ["is_signal_new", "PZ_15", "E_3"])
def test_missing_column(path, jets, column):
    write(path, top_tagging_frame(jets).drop(columns=column))
    error = refused(path, "has no column ")
    assert error.where == f"{path}: table/table"
    if not column.startswith("E"):
        assert f"has no column {column}; it has 69 columns: E_0, PX_0, PY_0, PZ_0, E_1, PX_1, ..." in error.what


def test_no_known_column(path):
    import pandas

    write(path, pandas.DataFrame({"pt": [1.0], "eta": [2.0]}))
    refused(path, "has no column E_0, is_signal_new; it has 2 columns: pt, eta")


def test_momenta_of_several_types(path, jets):
    frame = top_tagging_frame(jets)
    write(path, frame.astype({"PX_2": np.float32, "E_5": np.float32}))  # the jets are float32
    read = read_jets(path)
    np.testing.assert_array_equal(read.four_momenta, jets.four_momenta)
    np.testing.assert_array_equal(read.labels, jets.labels)


@pytest.mark.parametrize("label", [-1, 2])
def test_labels_of_another_convention(path, jets, label):
    write(path, top_tagging_frame(jets).assign(is_signal_new=label))
    refused(path, f"the label is {label}")


def test_labels_that_are_no_integers(path, jets):
    write(path, top_tagging_frame(jets).assign(is_signal_new=0.5))
    refused(path, r"the label is 0\.5")


def test_energy_below_momentum(path, jets):
    frame = top_tagging_frame(jets)
    frame.loc[6, "E_2"] *= 0.9
    write(path, frame)
    assert refused(path, "is space-like").where == f"{path}: jet 6, constituent 2"


def test_no_jets(path, jets):
    write(path, top_tagging_frame(jets))
    with h5py.File(path, "r+") as file:
        old = file["table/table"]
        attributes, dtype = dict(old.attrs), old.dtype
        del file["table/table"]
        file["table"].create_dataset("table", (0,), dtype).attrs.update(attributes)
    refused(path, "holds no jets")


def test_classes_cannot_be_chosen(path, jets):
    write_top_tagging(path, jets)
    refused(path, "is already labelled as signal and background, so the classes t cannot be chosen", signal=["t"])
    assert read_jets(path, classes=("top", "qcd")).labels.tolist() == [1, 0] * 6
    refused(path, "has no class 'W'; its classes are qcd, top", classes=("qcd", "W"))


def test_not_a_table(path):
    with h5py.File(path, "w") as file:
        file["table/table"] = np.zeros((3, 4))
    refused(path, "is not a table of rows")


def test_names_are_not_unpickled(path, jets):
    """Only the strings of a pickle are read, even if unpickling it would run code."""
    write_top_tagging(path, jets)
    with h5py.File(path, "r+") as file:
        file["table/table"].attrs["values_block_0_kind"] = np.bytes_(b"cos\nsystem\n(S'exit 1'\ntR.")
    refused(path, "has no column E_0")


def test_names_that_are_no_pickle(path, jets):
    write_top_tagging(path, jets)
    with h5py.File(path, "r+") as file:
        file["table/table"].attrs["values_block_0_kind"] = np.bytes_(b"\xff\xfe")
    refused(path, "has no column E_0")


@pytest.mark.parametrize(
    "value", ["text", 1e9, np.zeros((2, 2)), h5py.Empty("f8")], ids=["text", "number", "array", "empty"]
)
@pytest.mark.parametrize("name", ["values_block_0_kind", "pandas_type"])
def test_attributes_of_another_kind(path, jets, name, value):
    write_top_tagging(path, jets)
    with h5py.File(path, "r+") as file:
        if name == "pandas_type":
            file.move("table", "other")
            file["other"].attrs[name] = value
        else:
            file["table/table"].attrs[name] = value
    refused(path, "has no ")


def test_more_jets_than_memory_holds(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("Pmu", (2**40, 200, 4), "f8", chunks=(1, 200, 4))
    refused(path, "jets 0 to 1099511627775 need more memory than there is")

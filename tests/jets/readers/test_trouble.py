"""Files as they come: locked, left open, linked, with NaN padding, in RNTuple, or from other pandas options."""

from __future__ import annotations

import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest
from jet_files import assert_same_jets, jetclass_branches, plain, top_tagging_frame, write_jetclass, write_pelican

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import read_jets


def refused(path, what, remedy):
    with pytest.raises(JetsError, match=what) as caught:
        read_jets(path)
    assert str(path) in caught.value.where
    assert remedy in caught.value.remedy


class TestHdf5:
    def test_locked_by_a_writer(self, tmp_path, jets):
        path = tmp_path / "jets.h5"
        write_pelican(path, jets)
        script = (
            "import h5py, sys\n"
            "file = h5py.File(sys.argv[1], 'r+', locking=True)\n"
            "print('open', flush=True)\n"
            "sys.stdin.read()\n"
        )
        writer = subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert writer.stdout.readline() == b"open\n"
            refused(path, "is locked: another program writes it", "HDF5_USE_FILE_LOCKING=FALSE")
        finally:
            writer.communicate()
        assert_same_jets(read_jets(path), plain(jets))

    def test_left_open_by_a_writer_that_was_killed(self, tmp_path):
        path = tmp_path / "jets.h5"
        script = (
            "import h5py, os, signal, sys\n"
            "file = h5py.File(sys.argv[1], 'w', libver='latest')\n"
            "file['Pmu'] = [1.0]\n"
            "file.flush()\n"
            "os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False)
        assert killed.returncode == -signal.SIGKILL
        refused(path, "was left open by a program that did not end properly", "h5clear")

    @pytest.mark.parametrize("link", [h5py.ExternalLink("gone.h5", "/Pmu"), h5py.SoftLink("/gone")])
    @pytest.mark.parametrize("name", ["Pmu", "jet_Pmu", "other"])
    def test_dangling_link(self, tmp_path, jets, link, name):
        path = tmp_path / "jets.h5"
        write_pelican(path, jets)
        with h5py.File(path, "r+") as file:
            if name in file:
                del file[name]
            file[name] = link
        refused(path, "is a link to .*gone.*, which cannot be opened", "copy the data")

    @pytest.mark.parametrize("source", ["source.h5", "."])
    @pytest.mark.parametrize("fault", [None, "no file", "no dataset", "too short"])
    def test_virtual_dataset(self, tmp_path, jets, source, fault):
        path = tmp_path / "jets.h5"
        kept = tmp_path / "source.h5" if source != "." else path
        with h5py.File(path, "w"), h5py.File(tmp_path / "source.h5", "w"):
            pass
        with h5py.File(kept, "r+") as file:
            if fault != "no dataset":
                file["data"] = jets.four_momenta[: 5 if fault == "too short" else None]
        layout = h5py.VirtualLayout(jets.four_momenta.shape, "f8")
        layout[:] = h5py.VirtualSource(source, "data", jets.four_momenta.shape)
        with h5py.File(path, "r+") as file:
            file.create_virtual_dataset("Pmu", layout)
            file["is_signal"] = jets.labels
        if fault == "no file":
            (tmp_path / "source.h5").unlink()
        if fault is None or (fault == "no file" and source == "."):
            assert_same_jets(read_jets(path), plain(jets))
        else:
            refused(path, "is virtual, and its source 'data' in .* is missing or too short", "copy the data")

    @pytest.mark.parametrize("kept", [None, 0.0, 0.5, 1.0])
    def test_data_in_a_raw_file(self, tmp_path, jets, kept):
        path, raw = tmp_path / "jets.h5", tmp_path / "momenta.raw"
        momenta = jets.four_momenta
        with h5py.File(path, "w") as file:
            file.create_dataset("Pmu", momenta.shape, "f8", data=momenta, external=[(str(raw), 0, h5py.h5f.UNLIMITED)])
            file["is_signal"] = jets.labels
        content = raw.read_bytes()
        if kept is None:
            raw.unlink()
        else:
            raw.write_bytes(content[: int(kept * len(content))])
        if kept == 1.0:
            assert_same_jets(read_jets(path), plain(jets))
        else:
            refused(path, "is stored in .*momenta.raw', which is missing or too short", "copy the data")


class TestNanPadding:
    @pytest.mark.parametrize("layout", ["pelican", "top tagging"])
    def test_whole_constituents_are_padding(self, tmp_path, jets, layout, caplog):
        path = tmp_path / "jets.h5"
        momenta = np.where((jets.four_momenta == 0).all(axis=-1)[..., None], np.nan, jets.four_momenta)
        if layout == "pelican":
            with h5py.File(path, "w") as file:
                file["Pmu"], file["is_signal"] = momenta, jets.labels
        else:
            frame = top_tagging_frame(jets)
            frame[[c for c in frame if c[0] in "EP"]] = momenta.reshape(len(jets), -1)
            frame.to_hdf(path, key="table", mode="w", format="table")
        with caplog.at_level("INFO"):
            assert_same_jets(read_jets(path), plain(jets))
        assert "are NaN in every component: taken as padding" in caplog.text

    def test_a_single_component_is_an_error(self, tmp_path, jets):
        momenta = jets.four_momenta.copy()
        momenta[3, 1, 2] = np.nan
        with h5py.File(tmp_path / "jets.h5", "w") as file:
            file["Pmu"], file["is_signal"] = momenta, jets.labels
        refused(tmp_path / "jets.h5", "contains a NaN or infinity", "fix the program")


class TestPandas:
    @pytest.mark.parametrize("columns", [True, ["E_0"], ["PZ_2", "is_signal_new", "E_1"]])
    def test_data_columns(self, tmp_path, jets, columns):
        path = tmp_path / "top.h5"
        top_tagging_frame(jets).to_hdf(path, key="table", mode="w", format="table", data_columns=columns)
        assert_same_jets(read_jets(path), plain(jets))

    def test_another_key(self, tmp_path, jets):
        path = tmp_path / "top.h5"
        top_tagging_frame(jets).to_hdf(path, key="jets", mode="w", format="table")
        refused(path, "is a pandas frame of key 'jets'", 'key="table", format="table"')


class TestRoot:
    def test_rntuple(self, tmp_path, jets):
        import uproot

        branches = jetclass_branches(jets)
        with uproot.recreate(tmp_path / "new.root") as file:
            file.mkrntuple("tree", branches)
        write_jetclass(tmp_path / "old.root", jets)
        assert_same_jets(read_jets(tmp_path / "new.root"), read_jets(tmp_path / "old.root"))

    def test_rntuple_of_numbers(self, tmp_path):
        import uproot

        names = ("part_energy", "part_px", "part_py", "part_pz")
        with uproot.recreate(tmp_path / "new.root") as file:
            file.mkrntuple("tree", {name: np.ones(3) for name in names})
        refused(tmp_path / "new.root", "must be lists of numbers, one per constituent, not double", "one list per jet")

    def test_rntuple_without_a_field(self, tmp_path):
        import uproot

        with uproot.recreate(tmp_path / "new.root") as file:
            file.mkrntuple("tree", {"pt": np.ones(3)})
        refused(tmp_path / "new.root", "has no branch part_energy", "write the constituents")

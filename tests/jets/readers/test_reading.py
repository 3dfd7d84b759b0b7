from __future__ import annotations

import dataclasses
import logging
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import h5py
import numpy as np
import pytest
from jet_files import assert_same_jets, plain, write_lhc_jets, write_pelican, write_top_tagging, write_tree

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import iterate_jets, read_jets, write_jets


def refused(path, what, **arguments) -> JetsError:
    with pytest.raises(JetsError, match=what) as caught:
        read_jets(path, **arguments)
    assert str(path) in caught.value.where
    assert caught.value.remedy
    return caught.value


class TestEveryLayout:
    """The same jets yield the same arrays in every layout."""

    def test_identical_arrays(self, layout_file, grid_jets):
        read = read_jets(layout_file)
        whole = grid_jets if "level1_format" in attributes(layout_file) else plain(grid_jets)
        assert_same_jets(read.leading(16), whole)

    def test_first_events(self, layout_file, grid_jets):
        read = read_jets(layout_file, 5)
        assert len(read) == 5
        assert np.array_equal(read.leading(16).four_momenta, grid_jets.four_momenta[:5])

    @pytest.mark.parametrize("chunk", [1, 5, 12, 1000])
    def test_in_chunks(self, layout_file, chunk):
        whole = read_jets(layout_file)
        chunks = list(iterate_jets(layout_file, chunk))
        assert [len(c) for c in chunks] == [len(whole[i : i + chunk]) for i in range(0, 12, chunk)]
        for start, part in zip(range(0, 12, chunk), chunks, strict=True):
            assert_same_jets(part, whole[start : start + chunk])

    def test_in_chunks_up_to_events(self, layout_file):
        assert [len(c) for c in iterate_jets(layout_file, 5, events=7)] == [5, 2]

    @pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.9])
    def test_truncated(self, layout_file, kept):
        data = layout_file.read_bytes()
        layout_file.write_bytes(data[: int(kept * len(data))])
        refused(layout_file, "is truncated or damaged")


def attributes(path) -> dict:
    if path.suffix == ".root":
        return {}
    with h5py.File(path, "r") as file:
        return dict(file.attrs)


class TestChunks:
    @pytest.mark.parametrize("chunk", [0, -2])
    def test_at_least_one(self, tmp_path, jets, chunk):
        write_jets(tmp_path / "jets.h5", jets, {})
        with pytest.raises(JetsError, match=f"cannot read {chunk} jets at a time"):
            next(iterate_jets(tmp_path / "jets.h5", chunk))

    def test_an_error_in_a_later_chunk_comes_with_that_chunk(self, tmp_path, jets):
        path = tmp_path / "jets.h5"
        write_pelican(path, jets)
        with h5py.File(path, "r+") as file:
            file["Pmu"][7, 1, 0] = -3.0
        chunks = iterate_jets(path, 5)
        assert len(next(chunks)) == 5
        with pytest.raises(JetsError, match="energy is negative") as caught:
            next(chunks)
        assert caught.value.where == f"{path}, jets from 5 on: jet 2, constituent 1"

    def test_the_consumers_own_errors_are_not_called_damage(self, tmp_path, jets):
        write_jets(tmp_path / "jets.h5", jets, {})

        def consume() -> None:
            for _ in iterate_jets(tmp_path / "jets.h5", 5):
                raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            consume()

    def test_memory_does_not_grow_with_the_file(self, tmp_path, jets):
        """300 MB of constituents, in chunks of 6.4 MB, in a separate process."""
        path = tmp_path / "jets.h5"
        with h5py.File(path, "w") as file:
            shape = (46_875, 200, 4)
            pmu = file.create_dataset("Pmu", shape, np.float64, chunks=(100, 200, 4), compression="lzf")
            pmu[:12, :16] = jets.four_momenta
            file["is_signal"] = np.zeros(shape[0], np.int8)
        script = (
            "import resource, sys\n"
            "from nanopelican_hls.jets import iterate_jets\n"
            "chunks = iterate_jets(sys.argv[1], 1000)\n"
            "next(chunks), next(chunks)\n"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "jets = 2000 + sum(len(c) for c in chunks)\n"
            "print(jets, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
        )
        output = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True).stdout
        n_jets, grown_kilobytes = map(int, output.split())
        assert n_jets == 46_875
        assert grown_kilobytes < 80_000  # HDF5's own cache of 64 MiB fills up


class TestWrongLayout:
    def test_hdf5_says_what_was_tried_and_what_was_found(self, tmp_path):
        path = tmp_path / "other.h5"
        with h5py.File(path, "w") as file:
            file["events"], file["weights"] = [1], [2]
        error = refused(path, "has no dataset 'Pmu'; it has 'events', 'weights'")
        for tried in ("PELICAN", "top-tagging reference", "'table/table'", "hls4ml LHC jets", "Level-1 words"):
            assert tried in error.what

    def test_root_says_what_was_tried_and_what_was_found(self, tmp_path):
        path = tmp_path / "other.root"
        write_tree(path, {"pt": np.ones(3)}, tree="Events")
        error = refused(path, "has no tree 'tree' with branch 'part_px'; it has 'Events;1'")
        assert "Layouts tried: JetClass (ROOT)" in error.what

    def test_a_pandas_frame_of_fixed_format(self, tmp_path, jets):
        from jet_files import top_tagging_frame

        top_tagging_frame(jets).to_hdf(tmp_path / "fixed.h5", key="table", mode="w", format="fixed")
        error = refused(tmp_path / "fixed.h5", "is a pandas frame of fixed format")
        assert 'format="table"' in error.remedy

    def test_compression_that_is_not_known(self, tmp_path):
        lzo = 305  # a registered HDF5 filter that is not installed
        with h5py.File(tmp_path / "jets.h5", "w") as file:
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_chunk((12, 16, 4))
            creation.set_filter(lzo, h5py.h5z.FLAG_OPTIONAL, ())
            space = h5py.h5s.create_simple((12, 16, 4))
            dataset = h5py.h5d.create(file.id, b"Pmu", h5py.h5t.IEEE_F32LE, space, dcpl=creation)
            dataset.write_direct_chunk((0, 0, 0), bytes(100))
        refused(tmp_path / "jets.h5", "is compressed by HDF5 filter 305, which is not available here")

    def test_no_permission(self, tmp_path, jets, monkeypatch):
        write_jets(tmp_path / "jets.h5", jets, {})
        with monkeypatch.context() as patch:
            # the tests may run as root, which can read everything
            patch.setattr(Path, "open", Mock(side_effect=PermissionError(13, "Permission denied")))
            refused(tmp_path / "jets.h5", r"cannot be read \(Permission denied\)")

    def test_no_uproot(self, tmp_path, monkeypatch):
        (tmp_path / "jets.root").write_bytes(b"root" + bytes(100))
        monkeypatch.setitem(sys.modules, "uproot", None)
        error = refused(tmp_path / "jets.root", "a ROOT file needs uproot, which is not installed")
        assert error.remedy == 'pip install "nanopelican-hls[root]"'


class TestPlausibility:
    def warnings(self, caplog, path) -> list[str]:
        with caplog.at_level(logging.WARNING, logger="nanopelican_hls"):
            read_jets(path)
        return caplog.messages

    def test_gev_is_silent(self, tmp_path, jets, caplog):
        write_jets(tmp_path / "jets.h5", jets, {})
        assert self.warnings(caplog, tmp_path / "jets.h5") == []

    @pytest.mark.parametrize("write", [write_pelican, write_top_tagging, write_lhc_jets])
    def test_mev_is_guessed_from_the_spectrum(self, tmp_path, jets, caplog, write):
        write(tmp_path / "jets.h5", dataclasses.replace(jets, four_momenta=1000 * jets.four_momenta))
        (message,) = self.warnings(caplog, tmp_path / "jets.h5")
        assert "more than an LHC beam has: if these are MeV, divide by 1000" in message

    def test_mixed_units(self, tmp_path, jets, caplog):
        # hardly a GeV each, so that the spectrum reveals nothing
        soft = dataclasses.replace(
            jets, four_momenta=jets.four_momenta / 100, jet_four_momentum=jets.jet_four_momentum * 10
        )
        write_jets(tmp_path / "jets.h5", soft, {})
        (message,) = self.warnings(caplog, tmp_path / "jets.h5")
        assert "is 1e+03 times that of the sum of their constituents: is one of them in MeV?" in message

    def test_jets_without_constituents(self, tmp_path, jets, caplog):
        momenta = jets.four_momenta.copy()
        momenta[[4, 9]] = 0
        write_pelican(tmp_path / "jets.h5", dataclasses.replace(jets, four_momenta=momenta))
        message = f"{tmp_path / 'jets.h5'}: 2 of 12 jets have no constituents, the first is jet 4"
        assert message in self.warnings(caplog, tmp_path / "jets.h5")

    def test_their_position_counts_from_the_start_of_the_file(self, tmp_path, jets, caplog):
        momenta = jets.four_momenta.copy()
        momenta[9] = 0
        write_pelican(tmp_path / "jets.h5", dataclasses.replace(jets, four_momenta=momenta))
        list(iterate_jets(tmp_path / "jets.h5", 5))
        assert "1 of 5 jets have no constituents, the first is jet 9" in caplog.text

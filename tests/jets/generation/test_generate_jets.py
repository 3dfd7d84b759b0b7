from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import h5py
import numpy as np
import psutil
import pytest

from nanopelican_hls.cli import main
from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import read_jets
from nanopelican_hls.jets.container import pt_gev
from nanopelican_hls.jets.generation import Recipe, generate_jets
from nanopelican_hls.jets.generation.chunks import chunk_path, make_chunk, read_chunk, write_chunk

COMMAND = ["jets", "generate", "--jets", "14", "--seed", "3", "--chunk", "4"]


class TestSample:
    def test_reads_as_jets_of_the_recipe(self, unbroken, recipe):
        jets = read_jets(unbroken)
        assert jets.four_momenta.shape == (recipe.jets, 200, 4)
        assert np.bincount(jets.labels).tolist() == [7, 7]
        pt = pt_gev(jets.jet_four_momentum)
        assert ((pt > 550) & (pt < 650)).all()
        assert (np.abs(np.arcsinh(jets.jet_four_momentum[:, 3] / pt)) < 2).all()
        assert (jets.multiplicity == np.count_nonzero(jets.four_momenta[..., 0], axis=1)).all()
        assert np.allclose(jets.four_momenta.sum(axis=1), jets.jet_four_momentum, rtol=1e-5, atol=1e-3)
        assert (np.diff(pt_gev(jets.four_momenta), axis=1) <= 0).all()

    def test_tops_are_where_their_jets_are(self, unbroken):
        jets = read_jets(unbroken)
        with h5py.File(unbroken, "r") as file:
            truth = file["truth_Pmu"][:]
        assert not truth[jets.labels == 0].any()
        e, px, py, pz = truth[jets.labels == 1].T
        assert np.sqrt(e**2 - px**2 - py**2 - pz**2) == pytest.approx(172, abs=25)
        axis = jets.jet_four_momentum[jets.labels == 1]
        d_phi = np.angle((px + 1j * py) / (axis[:, 1] + 1j * axis[:, 2]))
        d_eta = np.arcsinh(pz / np.hypot(px, py)) - np.arcsinh(axis[:, 3] / np.hypot(axis[:, 1], axis[:, 2]))
        assert (np.hypot(d_phi, d_eta) < 0.8).all()

    def test_says_how_it_was_made(self, unbroken):
        with h5py.File(unbroken, "r") as file:
            attributes = dict(file.attrs)
        assert json.loads(attributes["recipe"])["jets"] == 14
        assert attributes["events_top"] > 7 and attributes["events_qcd"] > 7
        assert {"seed", "card", "versions", "pythia_settings", "selection"} <= set(attributes)

    def test_leaves_nothing_else(self, unbroken):
        assert [path.name for path in unbroken.parent.iterdir()] == ["unbroken.h5"]

    def test_fewer_constituents_are_the_leading_ones(self, recipe):
        key = recipe.chunks()[0]
        narrow = make_chunk(Recipe(jets=14, seed=3, chunk_jets=4, n_constituents=10), key)
        wide = make_chunk(recipe, key)
        assert np.array_equal(narrow.four_momenta, wide.four_momenta[:, :10])
        assert np.array_equal(narrow.multiplicity, wide.multiplicity)


class TestSameBytes:
    def test_in_several_processes(self, unbroken, recipe, tmp_path):
        generate_jets(recipe, tmp_path / "two.h5", jobs=2)
        assert (tmp_path / "two.h5").read_bytes() == unbroken.read_bytes()

    def test_after_kills_at_any_moment(self, unbroken, tmp_path):
        """A killed run leaves at most a temporary file and no process, and the resumed run's output is identical."""
        output, chunks = tmp_path / "killed.h5", tmp_path / "killed.h5.chunks"
        command = [sys.executable, "-c", "import sys; from nanopelican_hls.cli import main; sys.exit(main())"]
        rng = np.random.default_rng(9)
        for _ in range(2):
            process = psutil.Popen(
                [*command, *COMMAND, "--jobs", "2", str(output)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            made = len(list(chunks.glob("*.npz")))
            while process.poll() is None and len(list(chunks.glob("*.npz"))) == made:
                time.sleep(0.05)
            time.sleep(rng.uniform(0, 0.3))
            workers = process.children(recursive=True) if process.is_running() else []
            process.kill()
            process.wait()
            assert not psutil.wait_procs(workers, timeout=60)[1]
        assert output.exists() or main([*COMMAND, str(output)]) == 0
        assert output.read_bytes() == unbroken.read_bytes()
        assert [path.name for path in tmp_path.iterdir()] == ["killed.h5"]

    def test_a_temporary_file_of_a_killed_run_is_no_chunk(self, unbroken, recipe, tmp_path):
        folder = tmp_path / "again.h5.chunks"
        folder.mkdir()
        (folder / ".top-00000-4.npz.host.123").write_bytes(b"half of it")
        generate_jets(recipe, tmp_path / "again.h5")
        assert (tmp_path / "again.h5").read_bytes() == unbroken.read_bytes()


class TestRefused:
    def test_an_output_that_exists(self, unbroken, capsys):
        before = unbroken.read_bytes()
        assert main([*COMMAND, str(unbroken)]) == 2
        assert "unbroken.h5: already exists" in capsys.readouterr().err
        assert unbroken.read_bytes() == before

    def test_force_replaces_it(self, unbroken, tmp_path):
        (tmp_path / "old.h5").write_text("old")
        assert main([*COMMAND, str(tmp_path / "old.h5"), "--force"]) == 0
        assert (tmp_path / "old.h5").read_bytes() == unbroken.read_bytes()

    @pytest.mark.parametrize("force", [True, False])
    def test_a_folder(self, recipe, tmp_path, force):
        with pytest.raises(JetsError, match="is a folder"):
            generate_jets(recipe, tmp_path, force=force)

    def test_no_folder(self, recipe, tmp_path):
        with pytest.raises(JetsError, match="the folder does not exist"):
            generate_jets(recipe, tmp_path / "missing" / "jets.h5")

    @pytest.mark.parametrize("option", ["--jobs", "--dask-local"])
    def test_no_workers(self, option, tmp_path, capsys):
        assert main([*COMMAND, str(tmp_path / "jets.h5"), option, "0"]) == 2
        assert "cannot" in capsys.readouterr().err

    def test_chunks_of_another_recipe(self, recipe, tmp_path):
        folder = tmp_path / "jets.h5.chunks"
        folder.mkdir()
        (folder / "recipe.json").write_text('{"fingerprint": "0123"}')
        with pytest.raises(JetsError, match="holds chunks of another recipe") as caught:
            generate_jets(recipe, tmp_path / "jets.h5")
        assert caught.value.where == str(folder)

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04", "cut"])
    def test_a_damaged_chunk(self, recipe, tmp_path, content):
        path = write_chunk(tmp_path, recipe, recipe.chunks()[-1])
        path.write_bytes(path.read_bytes()[:-100] if content == "cut" else content)
        with pytest.raises(JetsError, match="is damaged") as caught:
            read_chunk(path)
        assert caught.value.where == str(path)

    def test_a_full_disk_leaves_no_chunk(self, recipe, tmp_path):
        key = recipe.chunks()[-1]
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            with pytest.raises(JetsError, match="cannot be written"):
                write_chunk(tmp_path, recipe, key)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not chunk_path(tmp_path, key).exists()
        assert not list(tmp_path.iterdir())

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from jet_files import assert_same_jets

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import Jets, read_jets, sample_path, write_jets
from nanopelican_hls.jets.container import pt_gev
from nanopelican_hls.jets.sample import SAMPLE_CONSTITUENTS, SAMPLE_JETS, cut_sample

#: the jets that the sample is cut from, if they are next to the checkout
SOURCE = Path(__file__).parents[3] / "shared" / "jets" / "test.h5"


@pytest.fixture(scope="module")
def sample() -> Jets:
    return read_jets(sample_path())


class TestShipped:
    def test_size(self, sample):
        assert sample_path().stat().st_size <= 6_000_000
        assert sample.four_momenta.shape == (SAMPLE_JETS, SAMPLE_CONSTITUENTS, 4)

    def test_half_top_half_qcd_well_mixed(self, sample):
        assert np.bincount(sample.labels).tolist() == [5000, 5000]
        for part in range(0, SAMPLE_JETS, 1000):
            assert 400 < sample[part : part + 1000].labels.sum() < 600

    def test_jets_are_those_of_the_recipe(self, sample):
        pt = pt_gev(sample.jet_four_momentum)
        eta = np.arcsinh(sample.jet_four_momentum[:, 3] / pt)
        assert pt.min() >= 550
        assert pt.max() <= 650
        assert np.abs(eta).max() <= 2
        assert len(np.unique(sample.jet_four_momentum, axis=0)) == SAMPLE_JETS

    def test_the_jet_has_more_than_the_constituents_kept(self, sample):
        """Truncated jets have lost pT and mass; the others are the sum of their constituents."""
        missing = sample.jet_four_momentum - sample.four_momenta.sum(axis=1)
        whole = sample.multiplicity <= SAMPLE_CONSTITUENTS
        assert (missing[~whole, 0] > 0).all()
        assert (np.abs(missing[whole]) <= 1e-6 * sample.jet_four_momentum[whole, :1]).all()
        present = np.count_nonzero(sample.four_momenta[..., 0], axis=1)
        assert np.array_equal(present, np.minimum(sample.multiplicity, SAMPLE_CONSTITUENTS))

    def test_top_jets_look_like_top(self, sample):
        energy, *p = sample.jet_four_momentum.T
        mass = np.sqrt(energy**2 - sum(x * x for x in p))
        top = sample.labels == 1
        assert 160 < np.median(mass[top]) < 190
        assert np.median(mass[~top]) < 100
        assert sample.multiplicity[top].mean() > sample.multiplicity[~top].mean() + 8

    def test_says_where_it_comes_from(self):
        with h5py.File(sample_path(), "r") as file:
            attributes = dict(file.attrs)
        assert attributes["seed"] == 2026
        assert attributes["licence"] == "Apache-2.0"
        assert attributes["selection"] == "first 5000 top and 5000 QCD jets in file order, leading 32 in pT"
        assert json.loads(attributes["recipe"])["pt"] == [550.0, 650.0]
        assert json.loads(attributes["versions"])["pythia8mc"] == "8.317.2"

    @pytest.mark.skipif(not SOURCE.is_file(), reason="the jets that the sample is cut from are not beside the checkout")
    def test_equals_its_source(self, sample):
        source = read_jets(SOURCE).leading(SAMPLE_CONSTITUENTS)
        index = np.sort(np.concatenate([np.flatnonzero(source.labels == label)[:5000] for label in (0, 1)]))
        assert_same_jets(sample, source[index])


class TestCut:
    @pytest.fixture
    def source(self, tmp_path, jets):
        write_jets(tmp_path / "source.h5", jets, {})
        (tmp_path / "meta.json").write_text('{"seed": 3, "recipe": {"pt": [1, 2]}}')
        return tmp_path / "source.h5"

    def test_first_of_each_class_with_their_leading_constituents(self, source, jets):
        """Labels alternate, starting with 0: the first four jets are two of each class."""
        destination = source.with_name("cut.h5")
        cut_sample(source, destination, n_jets=4, n_constituents=5)
        assert_same_jets(read_jets(destination), jets[:4].leading(5))

    def test_takes_the_provenance_along(self, source):
        cut_sample(source, source.with_name("cut.h5"), n_jets=4, n_constituents=5)
        with h5py.File(source.with_name("cut.h5"), "r") as file:
            assert dict(file.attrs) == {
                "source": "source.h5",
                "selection": "first 2 top and 2 QCD jets in file order, leading 5 in pT",
                "licence": "Apache-2.0",
                "seed": 3,
                "recipe": '{"pt": [1, 2]}',
            }

    def test_without_provenance_warns(self, source, caplog):
        source.with_name("meta.json").unlink()
        cut_sample(source, source.with_name("cut.h5"), n_jets=4)
        assert "no meta.json" in caplog.text

    @pytest.mark.parametrize("text", ["{", "[1, 2]", "\ufeff"])
    def test_bad_provenance(self, source, text):
        source.with_name("meta.json").write_text(text)
        with pytest.raises(JetsError, match=r"meta\.json: is not a JSON object"):
            cut_sample(source, source.with_name("cut.h5"), n_jets=4)

    @pytest.mark.parametrize("n_jets", [0, 1, 5, -2])
    def test_halves(self, source, n_jets):
        with pytest.raises(JetsError, match=f"{n_jets} jets cannot be half top and half QCD"):
            cut_sample(source, source.with_name("cut.h5"), n_jets=n_jets)

    def test_too_few(self, source):
        with pytest.raises(JetsError, match="has 6 top jets, 7 are needed"):
            cut_sample(source, source.with_name("cut.h5"), n_jets=14)

    def test_no_labels(self, source, jets):
        for change in ({"labels": None}, {"classes": ("W", "Z")}):
            write_jets(source, dataclasses.replace(jets, **change), {}, force=True)
            with pytest.raises(JetsError, match="has no labels"):
                cut_sample(source, source.with_name("cut.h5"), n_jets=4)

    def test_several_classes(self, source, jets):
        write_jets(source, dataclasses.replace(jets, classes=("g", "W", "t")), {}, force=True)
        with pytest.raises(JetsError, match=r"has 3 classes \(g, W, t\), but signal and background are needed"):
            cut_sample(source, source.with_name("cut.h5"), n_jets=4)

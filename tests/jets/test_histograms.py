from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import pt_gev
from nanopelican_hls.jets.histograms import EDGES, ClassHistograms, fill, smallest_width
from nanopelican_hls.operators._minkowski import dot


def products(jets, n):
    """Products of the pairs that are present, one by one, in the laboratory frame."""
    found = []
    for momenta in jets.four_momenta[:, :n]:
        present = momenta[momenta[:, 0] > 0]
        found += [float(dot(a, b, "cartesian")) for k, a in enumerate(present) for b in present[k + 1 :]]
    return np.array(found)


class TestFill:
    def test_classes(self, jets):
        classes = fill([jets], 8)
        assert {name: c.jets for name, c in classes.items()} == {"signal": 6, "background": 6}

    def test_classes_with_names(self, jets):
        three = dataclasses.replace(jets, labels=np.arange(12) % 3, classes=("z", "a", "m"))
        late = dataclasses.replace(jets, labels=np.minimum(np.arange(12) % 3, 1), classes=three.classes)
        assert {name: c.jets for name, c in fill([late, three], 8).items()} == {"z": 8, "a": 12, "m": 4}
        assert list(fill([late], 8)) == ["z", "a"]

    def test_no_labels(self, jets):
        classes = fill([dataclasses.replace(jets, labels=None)], 8)
        assert {name: c.jets for name, c in classes.items()} == {"all jets": 12}

    def test_one_class_only(self, jets):
        assert list(fill([jets[jets.labels == 0]], 8)) == ["background"]

    def test_chunks_add_up(self, jets):
        whole, parts = fill([jets], 8), fill([jets[:5], jets[5:6], jets[6:]], 8)
        for name in whole:
            for quantity in EDGES:
                assert np.array_equal(whole[name].counts[quantity], parts[name].counts[quantity])

    def test_every_jet_and_every_constituent_counts(self, jets):
        for label, name in enumerate(("background", "signal")):
            part, counts = jets[jets.labels == label], fill([jets], 16)[name].counts
            assert counts["multiplicity"].sum() == counts["mass_gev"].sum() == len(part)
            assert np.flatnonzero(counts["multiplicity"]).tolist() == sorted(part.multiplicity.tolist())
            assert counts["pt_gev"].sum() == np.count_nonzero(pt_gev(part.four_momenta))
            assert counts["d_bits"].sum() == len(products(part, 16))

    def test_what_is_outside_counts_in_the_last_bin(self, jets):
        counts = fill([dataclasses.replace(jets, multiplicity=np.full(12, 9999))], 8)["signal"].counts
        assert counts["multiplicity"][-1] == 6

    def test_one_constituent_has_no_products(self, jets):
        with pytest.raises(JetsError, match="1 constituents have no products"):
            fill([jets], 1)

    def test_jets_without_constituents(self, jets):
        empty = dataclasses.replace(jets, four_momenta=jets.four_momenta * 0, jet_four_momentum=np.zeros((12, 4)))
        histograms = fill([empty], 8)["signal"]
        assert histograms.jets == 6
        assert histograms.counts["d_bits"].sum() == histograms.counts["pt_gev"].sum() == 0
        assert np.isnan(histograms.mean("pt_gev"))
        assert smallest_width([histograms]) == 0


class TestShareClipped:
    @pytest.fixture
    def histograms(self, jets) -> ClassHistograms:
        return fill([dataclasses.replace(jets, labels=None)], 16)["all jets"]

    @pytest.mark.parametrize("bits", range(-2, 13))
    def test_is_the_share_of_products_that_do_not_fit(self, jets, histograms, bits):
        assert histograms.share_clipped_at(bits) == pytest.approx(np.mean(products(jets, 16) >= 2.0**bits), abs=1e-12)

    def test_nothing_is_above_all_bins(self, histograms):
        assert histograms.share_clipped_at(99) == 0

    def test_smallest_width(self, jets, histograms):
        bits = smallest_width([histograms], share=0.01)
        assert np.mean(products(jets, 16) >= 2.0**bits) <= 0.01 < np.mean(products(jets, 16) >= 2.0 ** (bits - 1))

    def test_mean(self, jets, histograms):
        assert histograms.mean("multiplicity") == jets.multiplicity.mean()
        energy, *p = jets.jet_four_momentum.T
        mass = np.sqrt(np.maximum(energy**2 - sum(x * x for x in p), 0))
        assert abs(histograms.mean("mass_gev") - mass.mean()) <= 2

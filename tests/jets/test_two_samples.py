from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from nanopelican_hls.cli import main
from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import read_jets, sample_path, write_jets
from nanopelican_hls.jets.two_samples import QUANTITIES, RANKS, compare_samples, mass_cut_auc, mass_gev


@pytest.fixture(scope="module")
def halves():
    jets = read_jets(sample_path(), events=4000)
    return jets[:2000], jets[2000:]


def test_a_sample_is_compatible_with_itself(halves):
    rows = compare_samples(halves[0], halves[0])
    # the sample keeps 32 constituents
    assert len(rows) == 2 * len([*QUANTITIES, *(rank for rank in RANKS if rank <= 32)])
    assert {(row.statistic, row.p_value) for row in rows} == {(0.0, 1.0)}


def test_halves_of_a_sample_are_compatible(halves):
    assert min(row.p_value for row in compare_samples(*halves)) > 0.001


def test_other_jets_are_not(halves):
    first, second = halves
    heavier = dataclasses.replace(second, multiplicity=second.multiplicity + 5)
    rows = {(row.jet_class, row.quantity): row for row in compare_samples(first, heavier)}
    assert rows["top", "multiplicity"].p_value < 1e-4
    assert np.diff(rows["QCD", "multiplicity"].means) > 4
    assert rows["top", "mass, GeV"].p_value > 0.001


def test_constituents_that_were_cut_off_are_not_compared(halves):
    first, second = halves
    quantities = {row.quantity for row in compare_samples(first.leading(10), second)}
    assert "pT of constituent 10, GeV" in quantities
    assert "pT of constituent 20, GeV" not in quantities


def test_constituents_that_never_were_there_are(halves):
    few = dataclasses.replace(halves[0].leading(10), multiplicity=halves[0].multiplicity.clip(max=10))
    rows = {(row.jet_class, row.quantity): row for row in compare_samples(few, few)}
    assert rows["top", "pT of constituent 40, GeV"].means == (0.0, 0.0)


def test_mass(halves):
    assert np.median(mass_gev(halves[0])[halves[0].labels == 1]) == pytest.approx(175, abs=10)
    assert 0.89 < mass_cut_auc(halves[0]) < 0.93


def test_a_mass_cut_separates_two_classes(halves):
    with pytest.raises(JetsError, match=r"jets of the mass cut: has 3 classes \(g, W, t\)"):
        mass_cut_auc(dataclasses.replace(halves[0], classes=("g", "W", "t")))


def test_labels_are_needed(halves):
    for jets in (dataclasses.replace(halves[0], labels=None), halves[0][halves[0].labels == 1]):
        with pytest.raises(JetsError, match="the second sample: needs labelled jets of both classes"):
            compare_samples(halves[0], jets)


def test_classes_with_names(halves):
    first, second = (dataclasses.replace(jets, labels=np.arange(2000) % 3, classes=("g", "W", "t")) for jets in halves)
    assert [row.jet_class for row in compare_samples(first, second)][:: len(QUANTITIES) + 5] == ["g", "W", "t"]
    with pytest.raises(JetsError, match="the first sample: needs labelled jets of all classes"):
        compare_samples(first[first.labels > 0], second)
    with pytest.raises(JetsError, match="the two samples: have different classes: g, W, t and top, QCD"):
        compare_samples(first, halves[1])


def test_command(halves, tmp_path, capsys):
    for name, jets in zip(("first.h5", "second.h5"), halves, strict=True):
        write_jets(tmp_path / name, jets, {})
    command = ["jets", "compare", str(tmp_path / "first.h5"), str(tmp_path / "second.h5"), "--jets", "500"]
    assert main([*command, "--p-min", "0.0001"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("| class | quantity | mean, first.h5 | mean, second.h5 | KS statistic | p value |")
    assert main([*command, "--p-min", "1.1"]) == 1

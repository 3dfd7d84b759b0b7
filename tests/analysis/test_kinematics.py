"""Working points against the jet's kinematics: thresholds, bins, sculpting, and the command."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from nanopelican_hls.analysis.kinematics import BINS, VARIABLES, working_point
from nanopelican_hls.cli import main
from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets import read_jets, sample_path
from nanopelican_hls.jets.two_samples import mass_gev

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def jets():
    return read_jets(sample_path(), 2000)


def test_the_threshold_is_the_lowest_that_keeps_to_the_share(jets):
    logits = np.random.default_rng(1).integers(-20, 20, len(jets)) / 4
    background = logits[jets.labels == 0]
    for share in (0.01, 0.1, 0.5):
        point = working_point(jets, logits, share)
        assert point.background == np.mean(background >= point.threshold) <= share
        assert np.mean(background >= point.threshold - 0.25) > share
        assert point.signal == np.mean(logits[jets.labels == 1] >= point.threshold)


def test_no_cut_is_low_enough(jets):
    point = working_point(jets, np.zeros(len(jets)), 0.01)
    assert point.threshold > 0
    assert (point.signal, point.background) == (0, 0)
    assert math.isnan(point.sculpting.divergence)


def test_bins_hold_every_jet_once(jets):
    logits = np.random.default_rng(1).normal(size=len(jets))
    point = working_point(jets, logits, 0.2)
    for variable, of in VARIABLES.items():
        bins = [each for each in point.bins if each.variable == variable]
        assert len(bins) <= BINS
        assert sum(each.signal_jets + each.background_jets for each in bins) == len(jets)
        assert sum(each.signal * each.signal_jets for each in bins if each.signal_jets) == pytest.approx(
            point.signal * np.count_nonzero(jets.labels)
        )
        for each in bins:
            inside = (of(jets) >= each.low) & (of(jets) < each.high) & (jets.labels == 0)
            assert not each.background_jets or each.background == np.mean(logits[inside] >= point.threshold)
            assert not each.background_jets or each.background_error > 0


def test_sculpting_sees_a_cut_on_the_mass_and_no_other(jets):
    random = working_point(jets, np.random.default_rng(1).normal(size=len(jets)), 0.3).sculpting
    assert random.divergence == pytest.approx(random.random, rel=0.5)
    mass = working_point(jets, mass_gev(jets), 0.3).sculpting
    assert mass.divergence > 0.9
    assert mass.random == pytest.approx(random.random, rel=0.2)


def test_one_class_is_refused(jets):
    with pytest.raises(JetsError):
        working_point(jets[jets.labels == 1], np.zeros(np.count_nonzero(jets.labels)), 0.1)


def test_the_command(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    model = str(ROOT / "models" / "trigger-n6.pt")
    assert main(["kinematics", model, "--background", "0.05", "--output", str(tmp_path / "new")]) == 0
    out = capsys.readouterr().out
    assert "trigger-n6, 10000 jets: logit of at least " in out
    with (tmp_path / "new" / "kinematics-trigger-n6.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["variable"] for row in rows} == set(VARIABLES)
    assert (tmp_path / "new" / "kinematics-trigger-n6.png").read_bytes().startswith(b"\x89PNG")
    assert main(["kinematics", model, "--background", "1"]) == 2
    assert "must be above 0 and below 1, not '1'" in capsys.readouterr().err

"""The rest particle of jets, and the number of constituents at the ports."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import numpy as np
import pytest

from nanopelican_hls.errors import ConfigError, JetsError
from nanopelican_hls.jets import iterate_jets, port_values, read_jets, sample_path, write_jets
from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.rest import rest_momenta
from nanopelican_hls.topology.config import (
    Coordinates,
    Input,
    Multiplicity,
    MultiplicityBins,
    NetworkConfig,
    RestFrom,
    Spurions,
)

RESTING = NetworkConfig(4, 2, spurions=Spurions.REST, coordinates=Coordinates.CARTESIAN)
COUNTING = NetworkConfig(4, 2, multiplicity=Multiplicity.JET, multiplicity_min_pt=2.0)


def massless(pt, phi):
    return [pt, pt * np.cos(phi), pt * np.sin(phi), 0.0]


def jets_of(pts, **changes):
    """Jets of massless constituents at azimuths 0, 0.1, ... of these pT, and their sum."""
    momenta = np.array([[massless(pt, k / 10) for k, pt in enumerate(jet)] for jet in pts])
    given = {"jet_four_momentum": momenta.sum(1), "multiplicity": np.count_nonzero(momenta[..., 0], axis=1)}
    return Jets(four_momenta=momenta, **(given | changes))


@pytest.fixture(scope="module")
def sample():
    return read_jets(sample_path(), 300)


def test_is_what_the_cut_leaves_out():
    jets = jets_of([[9, 8, 7, 6, 5, 4], [9, 8, 7, 0, 0, 0]])
    rest = rest_momenta(jets, jets.four_momenta[:, :4])
    assert rest[0] == pytest.approx(jets.four_momenta[0, 4:].sum(0), abs=1e-12)
    assert np.abs(rest[1]).max() < 1e-14
    ports = port_values(jets, RESTING)
    assert [ports[f"rest_{c}"][0, 0] for c in RESTING.components] == list(rest[0])


def test_is_never_space_like(sample, caplog):
    with caplog.at_level(logging.WARNING, logger="nanopelican_hls"):
        for n in (2, 8, 16, 32):
            rest = rest_momenta(sample, sample.leading(n).four_momenta)
            assert (rest[:, 0] >= np.hypot(np.hypot(rest[:, 1], rest[:, 2]), rest[:, 3])).all()
    assert caplog.text == ""


def test_odd_ones_are_counted(caplog):
    jets = jets_of([[9, 8, 7, 6, 5]] * 3)
    momentum = jets.jet_four_momentum.copy()
    momentum[1, 0] -= 0.2
    with caplog.at_level(logging.WARNING, logger="nanopelican_hls"):
        rest = rest_momenta(replace(jets, jet_four_momentum=momentum, source="some.h5"), jets.four_momenta[:, :4])
    assert "some.h5: 1 of 3 jets have a rest with |p| above E by more than rounding explains" in caplog.text
    assert rest[1, 0] == np.hypot(np.hypot(rest[1, 1], rest[1, 2]), rest[1, 3])


def test_a_file_without_the_momentum_of_the_jet():
    jets = jets_of([[9, 8, 7, 6], [9, 8, 7, 0]], multiplicity=np.array([30, 3]))
    with pytest.raises(JetsError, match=r"^the jets: 1 of 2 jets have more constituents than the 4 at most"):
        port_values(jets, RESTING)


def test_a_part_of_a_file_without_the_momentum_of_the_jet(sample):
    """Such as one class of it."""
    held = sample.leading(8)
    summed = np.where((np.arange(300) % 2 == 0)[:, None], held.four_momenta.sum(1), sample.jet_four_momentum)
    with pytest.raises(JetsError, match=r"1[0-9]{2} of 300 jets have more constituents than the 8 at most"):
        port_values(replace(held, jet_four_momentum=summed), RESTING)


def test_messages_name_the_file(tmp_path):
    momenta = jets_of([[9, 8, 7, 6, 0, 0], [9, 8, 7, 5, 4, 3]], multiplicity=np.array([30, 30]))
    write_jets(tmp_path / "some.h5", replace(momenta, labels=np.array([0, 1])), {})
    for jets in (read_jets(tmp_path / "some.h5"), next(iterate_jets(tmp_path / "some.h5"))[:1]):
        with pytest.raises(JetsError, match=f"^{re.escape(str(tmp_path))}/some.h5: [12] of [12] jets have more"):
            port_values(jets, RESTING)
        with pytest.raises(JetsError, match=f"^{re.escape(str(tmp_path))}/some.h5, jet 0: constituents of at least"):
            port_values(jets, COUNTING)


def test_level1_words_of_a_file_without_the_momentum_of_the_jet(sample):
    held = sample.leading(8)
    network = NetworkConfig(4, 2, spurions=Spurions.REST, input=Input.L1, rest_from=RestFrom.JET)
    port_values(held, network)
    with pytest.raises(JetsError, match="300 jets have more constituents than the 8 at most that are present"):
        port_values(replace(held, jet_four_momentum=held.four_momenta.sum(1)), network)


def test_a_threshold_below_what_a_padded_file_has_kept():
    jets = jets_of([[9, 8, 7, 6, 0, 0]], multiplicity=np.array([6]))
    with pytest.raises(JetsError, match="of 6 only the leading 4 are present, and the last has 6 GeV"):
        port_values(jets, COUNTING)
    assert port_values(jets, replace(COUNTING, multiplicity_min_pt=6.5))["n_jet"].tolist() == [[3]]


def test_the_multiplicity_counts_from_a_threshold(sample):
    jets = jets_of([[9, 8, 7, 2, 1.9, 1], [9, 1, 1, 1, 1, 1]])
    assert port_values(jets, COUNTING)["n_jet"].tolist() == [[4], [1]]
    assert port_values(jets, replace(COUNTING, multiplicity_min_pt=0.0))["n_jet"].tolist() == [[6], [6]]
    assert np.array_equal(
        port_values(sample, replace(COUNTING, multiplicity_min_pt=0.0))["n_jet"][:, 0], sample.multiplicity
    )


def test_constituents_that_cannot_be_counted():
    jets = jets_of([[9, 8, 7, 6]], multiplicity=np.array([30]))
    with pytest.raises(JetsError, match=r"of 30 only the leading 4 are present, and the last has 6 GeV"):
        port_values(jets, COUNTING)
    assert port_values(jets, replace(COUNTING, multiplicity_min_pt=6.5))["n_jet"].tolist() == [[3]]


def test_bins_that_do_not_cover_the_jets(sample, caplog):
    network = replace(COUNTING, multiplicity_min_pt=0.0)
    with caplog.at_level(logging.WARNING, logger="nanopelican_hls"):
        port_values(sample, network)
        assert caplog.text == ""
        port_values(sample, replace(network, multiplicity_bins=MultiplicityBins(low=100, width=1, bins=8)))
    assert "network.multiplicity_bins do not cover the jets: of 300," in caplog.text


@pytest.mark.parametrize("changes", [{"multiplicity_min_pt": -1.0}, {"multiplicity": Multiplicity.NONE}])
def test_thresholds_that_mean_nothing(changes):
    with pytest.raises(ConfigError, match=r"network\.multiplicity_min_pt"):
        replace(COUNTING, **changes)

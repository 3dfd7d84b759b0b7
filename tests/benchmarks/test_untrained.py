"""Networks with random weights, for the calibration of the estimate."""

import json
from pathlib import Path

import pytest

from nanopelican_hls.benchmarks import untrained
from nanopelican_hls.benchmarks.untrained import UNTRAINED, Untrained, map_untrained, untrained_program

MAPPED = Path(__file__).parents[2] / "benchmarks" / "mapped.json"


def test_the_stored_rows_are_theirs():
    assert [row["name"] for row in json.loads(MAPPED.read_text())] == [network.name for network in UNTRAINED]


def test_goes_on_after_a_kill(tmp_path, monkeypatch):
    path, measured = tmp_path / "mapped.json", []

    def measure(network, _):
        measured.append(network.name)
        if len(measured) == 3:
            raise KeyboardInterrupt
        return {"lut": len(measured)}

    monkeypatch.setattr(untrained, "measure", measure)
    with pytest.raises(KeyboardInterrupt):
        map_untrained(path, tmp_path, iter)
    map_untrained(path, tmp_path, iter)
    names = [network.name for network in UNTRAINED]
    assert measured == [*names[:3], *names[2:]]
    assert [row["name"] for row in json.loads(path.read_text())] == names


def test_multipliers_have_eight_bits_inside():
    for multipliers, bits in ((False, 6), (True, 8)):
        program = untrained_program(Untrained("c", 4, "dsp", multipliers=multipliers))
        assert program.quantisers["d"].bits == bits

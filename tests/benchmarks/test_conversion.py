"""The cost of converting trigger words, extracted from the figures of a complete design."""

import json
from pathlib import Path

import pytest

from nanopelican_hls.benchmarks import synthesis as benchmark
from nanopelican_hls.benchmarks.conversion import measured_conversion, split_pieces
from nanopelican_hls.benchmarks.synthesis_page import page
from nanopelican_hls.errors import SynthesisError

MODELS = Path(__file__).parents[2] / "models"
OF_CONSTITUENTS = ("d_eta", "d_phi", "q_plus_exact", "q_minus_exact", "q_y_exact", "q_z_exact")
OF_THE_JET = ("jet_q_plus_exact", "jet_q_minus_exact")


def cells(instances, lut, dsp=0):
    return {"instances": instances, "lut": lut * instances, "srl": 0, "ff": 3 * instances, "dsp": dsp * instances}


@pytest.fixture
def jobs(monkeypatch):
    """The measured jobs; the design has the pieces of the conversion, and others."""
    found = []

    def measure(job):
        found.append(job)
        pieces = {name: cells(8, 10, 1) for name in OF_CONSTITUENTS} | {name: cells(1, 7) for name in OF_THE_JET}
        return {
            "pieces": pieces | {"z": cells(36, 1000), "product": cells(70, 0, 1)},
            "first_result_cycle": {name: k for k, name in enumerate((*OF_CONSTITUENTS, *OF_THE_JET, "z"))},
            "rtl_vs_qonnx": {"events": 30_000, "mismatches": 0},
        }

    monkeypatch.setattr(benchmark, "in_own_process", measure)
    return found


@pytest.mark.usefixtures("jobs")
def test_is_what_stands_before_the_components(tmp_path):
    found = measured_conversion(MODELS / "trigger-n8-l1.pt", tmp_path, 50, tmp_path / "conversion.json")
    assert found["constituent"] == {"lut": 60, "srl": 0, "ff": 18, "dsp": 6}
    assert found["jet"] == {"lut": 14, "srl": 0, "ff": 6, "dsp": 0}
    assert found["cycles"] == 8
    assert json.loads((tmp_path / "conversion.json").read_text()) == found
    text = page([], found)
    assert "it takes the first 8 cycles; 30,000 events, 0 mismatches" in text
    assert "| a constituent | 60 | 0 | 18 | 6 |" in text
    assert "| the jet | 14 | 0 | 6 | 0 |" in text


def test_is_measured_once(jobs, tmp_path):
    for again, events, count in ((False, 50, 1), (False, 50, 1), (True, 50, 2), (False, 60, 3)):
        measured_conversion(MODELS / "trigger-n8-l1.pt", tmp_path, events, tmp_path / "kept.json", again=again)
        assert len(jobs) == count


def test_shift_registers_are_look_up_tables():
    pieces = {"a": {"instances": 2, "lut": 6, "srl": 4, "ff": 0, "dsp": 0}}
    assert split_pieces(["a"], pieces)["constituent"] == {"lut": 3, "srl": 2, "ff": 0, "dsp": 0}
    found = {"model": "m", **split_pieces(["a"], pieces), "cycles": 1, "rtl_vs_qonnx": {"events": 1, "mismatches": 0}}
    assert "| a constituent | 5 | 2 | 0 | 0 |" in page([], found)


def test_a_model_of_components_has_none(tmp_path):
    with pytest.raises(SynthesisError, match="has no trigger words as input"):
        measured_conversion(MODELS / "trigger-n8.pt", tmp_path, 50, tmp_path / "kept.json")

import dataclasses
import json

import pytest

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.synth.report import (
    JSON_KEYS,
    RtlComparison,
    SynthesisReport,
    Timing,
    read_report,
    table,
    write_report,
)

FULL = SynthesisReport(
    part="xcvu13p-flga2577-2-e",
    flow="vendor",
    stage="vsynth",
    tool_versions={"vitis-run": "2023.2", "vivado": "2023.2"},
    clock_period_ns=2.5,
    latency_cycles=12,
    initiation_interval=1,
    lut=17_280,
    ff=4_321,
    dsp=123,
    bram36=1.5,
    carry=1_000,
    rtl_vs_qonnx=RtlComparison(10_000, 0),
    timing=Timing("Vivado 2023.2 after logic synthesis", 2.25),
)
EMPTY = SynthesisReport("xcu250-figd2104-2L-e", "open", "mapped", {"Yosys": "0.1"}, 5.0)


@pytest.mark.parametrize("report", [FULL, EMPTY])
def test_a_report_survives_its_file(report, tmp_path):
    path = tmp_path / "synth.json"
    write_report(report, path)
    assert read_report(path) == report
    assert tuple(json.loads(path.read_text())) == JSON_KEYS
    assert [p.name for p in tmp_path.iterdir()] == ["synth.json"]


def test_derived_values():
    assert FULL.latency_ns == 30.0
    assert FULL.utilisation_percent == {"lut": 1.0, "ff": 0.125, "dsp": 1.001, "bram36": 0.056}
    assert EMPTY.latency_ns is None
    assert set(EMPTY.utilisation_percent.values()) == {None}


def test_the_table_names_tool_and_stage_and_guesses_nothing():
    caption, *rows = table(FULL).splitlines()
    assert caption == "xcvu13p-flga2577-2-e, vendor flow, stage vsynth, by vitis-run 2023.2 and vivado 2023.2"
    assert "  LUT                  17,280 (1.0 %)" in rows
    assert "  latency              12 cycles, 30.0 ns" in rows
    assert "  clock                2.5 ns asked for, 2.25 ns by Vivado 2023.2 after logic synthesis" in rows
    assert "  RTL against QONNX    0 of 10,000 events differ".replace(",", "") in rows
    text = table(EMPTY)
    assert "latency              unknown, unknown" in text
    assert "LUT                  unknown (unknown)" in text
    assert "not simulated" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latency_ns": 31.0}, "latency_ns is 31.0, but 30.0 follows from the other values"),
        ({"utilisation_percent": {}}, "utilisation_percent is {}"),
        ({"fmax_mhz": 400}, "missing or unknown keys fmax_mhz"),
        ({"timing": {"source": "x"}}, "is not a synthesis report"),
    ],
)
def test_a_damaged_report_is_refused(change, message, tmp_path):
    path = tmp_path / "synth.json"
    path.write_text(json.dumps(FULL.as_json() | change))
    with pytest.raises(SynthesisError, match=message) as error:
        read_report(path)
    assert error.value.where == str(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"part": "xcvu13p"}'])
def test_what_is_no_report_is_refused(text, tmp_path):
    path = tmp_path / "synth.json"
    path.write_text(text)
    with pytest.raises(SynthesisError):
        read_report(path)
    with pytest.raises(SynthesisError, match="cannot be read"):
        read_report(tmp_path / "absent.json")


def test_reports_are_values():
    assert dataclasses.replace(FULL, lut=1) != FULL

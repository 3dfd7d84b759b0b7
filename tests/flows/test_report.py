import dataclasses
import json

import pytest

from nanopelican_hls.cli.output import listing
from nanopelican_hls.flows.report import (
    JSON_KEYS,
    RtlComparison,
    SynthesisReport,
    Timing,
    described,
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
def test_the_file_holds_every_value(report, tmp_path):
    path = tmp_path / "synth.json"
    write_report(report, path)
    found = json.loads(path.read_text())
    assert tuple(found) == JSON_KEYS
    derived = {"latency_ns": report.latency_ns, "utilisation_percent": report.utilisation_percent}
    assert found == json.loads(json.dumps(dataclasses.asdict(report))) | derived
    assert [p.name for p in tmp_path.iterdir()] == ["synth.json"]


def test_derived_values():
    assert FULL.latency_ns == 30.0
    assert FULL.utilisation_percent == {"lut": 1.0, "ff": 0.125, "dsp": 1.001, "bram36": 0.056}
    assert EMPTY.latency_ns is None
    assert set(EMPTY.utilisation_percent.values()) == {None}


def test_the_table_names_tool_and_stage_and_guesses_nothing():
    caption, *rows = listing(*described(FULL)).splitlines()
    assert caption == "xcvu13p-flga2577-2-e, vendor flow, stage vsynth, by vitis-run 2023.2 and vivado 2023.2"
    assert "  LUT                  17,280 (1.0 %)" in rows
    assert "  latency              12 cycles, 30.0 ns" in rows
    assert "  clock                2.5 ns requested, 2.25 ns by Vivado 2023.2 after logic synthesis" in rows
    assert "  RTL against QONNX    0 of 10,000 events differ".replace(",", "") in rows
    text = listing(*described(EMPTY))
    assert "latency              unknown, unknown" in text
    assert "LUT                  unknown (unknown)" in text
    assert "not simulated" in text

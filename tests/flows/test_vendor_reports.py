"""Parsers of vendor reports: figures of the fixtures and, if present, of real reports; and broken layouts."""

import re
from pathlib import Path

import pytest

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.flows.report import RtlComparison
from nanopelican_hls.flows.vendor_reports import (
    CosimReport,
    HlsClock,
    HlsSummary,
    TimingSummary,
    Utilisation,
    post_check,
)

REPORTS = Path(__file__).parent / "reports"
#: real reports, next to the checkout; not part of the repository
REAL = Path(__file__).parents[3] / "shared" / "vendor-reports"

EXPECTED = [
    (
        "csynth.rpt",
        HlsSummary("2023.2", "xcvu13p-flga2577-2-e", "nanopelican", 0.03, 13, 32.5, 2, 52003, 9001, 107, 1.5),
    ),
    ("nanopelican_csynth.rpt", HlsClock(2.5, 1.795)),
    ("nanopelican_cosim.rpt", CosimReport(passed=True, latency_cycles=14, interval_cycles=3)),
    (
        "vsynth_utilisation.rpt",
        Utilisation("2023.2", "xcvu13p-flga2577-2-e", "nanopelican", "Synthesized", 20011, 8009, 601, 109, 2.5),
    ),
    ("vsynth_timing.rpt", TimingSummary(0.7)),
    ("impl_timing.rpt", TimingSummary(-0.125)),
]


@pytest.mark.parametrize(("name", "expected"), EXPECTED, ids=[name for name, _ in EXPECTED])
def test_every_figure_of_the_fixtures(name, expected):
    assert type(expected).parse(REPORTS / name) == expected


@pytest.mark.skipif(not REAL.is_dir(), reason="the real vendor reports are not next to this checkout")
def test_real_reports_parse_to_the_figures_of_their_readme():
    csynth = HlsSummary.parse(REAL / "csynth_n32_summary.rpt")
    vsynth = Utilisation.parse(REAL / "vsynth_n32.rpt")
    readme = {
        cells[0]: dict(zip(HEADINGS, cells[2:], strict=True))
        for line in (REAL / "README.md").read_text().splitlines()
        if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == len(HEADINGS) + 2
    }
    figures = {
        "csynth_n32_summary.rpt": (
            *(csynth.latency_cycles, csynth.latency_ns, csynth.interval_cycles),
            *(csynth.lut, csynth.ff, csynth.dsp, int(csynth.bram36), "-", csynth.slack_ns),
        ),
        "vsynth_n32.rpt": (
            *("-", "-", "-", vsynth.lut, vsynth.ff, vsynth.dsp, int(vsynth.bram36), vsynth.carry8, "-"),
        ),
    }
    for name, values in figures.items():
        expected = [value.partition(" ")[0] for value in readme[name].values()]
        assert list(map(str, values)) == expected
    assert csynth.device == vsynth.device == "xcu250-figd2104-2L-e"
    assert csynth.version == vsynth.version == "2023.2"


HEADINGS = ("latency_cycles", "latency_ns", "II", "LUT", "FF", "DSP", "BRAM36", "CARRY8", "slack_ns")


@pytest.mark.parametrize("unknown", ["-", "?", "undef"])
def test_what_the_hls_tool_does_not_know_is_none(tmp_path, unknown):
    changed = edit("csynth.rpt", r"13\|  32.500", f"{unknown}|  {unknown}", tmp_path)
    summary = HlsSummary.parse(changed)
    assert (summary.latency_cycles, summary.latency_ns, summary.interval_cycles) == (None, None, 2)


def test_a_cosimulation_may_have_seen_no_interval(tmp_path):
    report = CosimReport.parse(edit("nanopelican_cosim.rpt", "  3\\|", " NA|", tmp_path))
    assert (report.latency_cycles, report.interval_cycles) == (14, None)


def test_reports_of_older_versions_without_prohibited_sites(tmp_path):
    text = (REPORTS / "vsynth_utilisation.rpt").read_text()
    for cell in (" Prohibited |", "|          0 ", "|            |"):
        text = text.replace(cell, "|" * (cell.count("|") - 1))
    path = tmp_path / "old.rpt"
    path.write_text(text)
    assert Utilisation.parse(path) == Utilisation.parse(REPORTS / "vsynth_utilisation.rpt")


def edit(name, pattern, replacement, folder):
    text, count = re.subn(pattern, replacement, (REPORTS / name).read_text(), count=1)
    assert count == 1
    path = folder / name
    path.write_text(text)
    return path


BROKEN = [
    (HlsSummary, "csynth.rpt", "Modules", "Functions", "the table of modules and loops, but no such line"),
    (HlsSummary, "csynth.rpt", r"\|  \(ns\)  ", "|  (us)  ", r"Latency \(ns\), but line 22 is '\|\+ nanopelican"),
    (HlsSummary, "csynth.rpt", r"52003 \(3%\)", "many", "LUT, but line 22 is"),
    (HlsSummary, "csynth.rpt", r"52003 \(3%\)", "", "LUT, but line 22 is"),
    (HlsSummary, "csynth.rpt", r"   107 \(0%\)\|", "", "14 cells, but line 22 is"),
    (HlsSummary, "csynth.rpt", r"\| LUT|      LUT     ", "    ALUT    ", "LUT, but line 22 is"),
    (HlsSummary, "csynth.rpt", "Target device", "Target", "the target device, but no such line"),
    (HlsClock, "nanopelican_csynth.rpt", "1.795 ns", "1795 ps", "Estimated in ns, but line 23 is"),
    (HlsClock, "nanopelican_csynth.rpt", "2.50 ns", "0.00250 us", "Target in ns, but line 23 is"),
    (CosimReport, "nanopelican_cosim.rpt", "avg", "mean", "min, avg, max of latency and of interval, but line 7 is"),
    (CosimReport, "nanopelican_cosim.rpt", "Verilog", "SystemC", "the row of Verilog, but no such line"),
    (CosimReport, "nanopelican_cosim.rpt", "Pass", "Maybe", "Pass or Fail, and six numbers, but line 10 is"),
    (CosimReport, "nanopelican_cosim.rpt", "  14", " 14?", "a number of cycles, but line 10 is"),
    (Utilisation, "vsynth_utilisation.rpt", r"CLB LUTs\*", "LUT6", "a row 'CLB LUTs', but no such line"),
    (Utilisation, "vsynth_utilisation.rpt", "20011", "20k", "the number of CLB LUTs, but line 19 is"),
    (Utilisation, "vsynth_utilisation.rpt", " Used ", " Sum ", "the number of CLB LUTs, but line 19 is"),
    (Utilisation, "vsynth_utilisation.rpt", r"601 \|", "601", "6 cells, but line 24 is"),
    (Utilisation, "vsynth_utilisation.rpt", "Design State", "State", "the design state, but no such line"),
    (TimingSummary, "vsynth_timing.rpt", r"WNS\(ns\)", "WNS(ps)", "the heading WNS"),
    (TimingSummary, "vsynth_timing.rpt", "0.700", "inf", "the worst slack of a constrained path, but line 16 is"),
    (TimingSummary, "vsynth_timing.rpt", "0.700", "", "12 numbers, the first the worst slack, but line 16 is"),
]


@pytest.mark.parametrize(("parser", "name", "pattern", "replacement", "message"), BROKEN)
def test_a_changed_format_fails_with_the_line(parser, name, pattern, replacement, message, tmp_path):
    path = edit(name, pattern, replacement, tmp_path)
    with pytest.raises(SynthesisError, match=f"unknown report format: expected {message}") as error:
        parser.parse(path)
    assert error.value.where == str(path)


@pytest.mark.parametrize(("name", "expected"), EXPECTED, ids=[name for name, _ in EXPECTED])
def test_a_report_cut_short_anywhere_never_gives_other_figures(name, expected, tmp_path):
    lines = (REPORTS / name).read_text().splitlines()
    path = tmp_path / name
    for end in range(len(lines)):
        path.write_text("\n".join(lines[:end]))
        try:
            report = type(expected).parse(path)
        except SynthesisError:
            continue
        assert report == expected


def test_a_report_that_was_not_written(tmp_path):
    with pytest.raises(SynthesisError, match="did not write this report"):
        Utilisation.parse(tmp_path / "absent.rpt")


LOG = """\
INFO: [COSIM 212-302] Starting C TB testing ...
PASS: 300 events, 0 mismatches
INFO: [COSIM 212-333] Generating C post check test bench ...
INFO: [COSIM 212-316] Starting C post checking ...
FIRST MISMATCH: event 4, expected 1, got 2
FAIL: 300 events, 2 mismatches
"""


def test_the_second_run_of_the_bench_is_the_one_on_the_rtl():
    assert post_check(LOG) == RtlComparison(300, 2)
    assert post_check(LOG.partition("FIRST")[0]) is None
    assert post_check("") is None

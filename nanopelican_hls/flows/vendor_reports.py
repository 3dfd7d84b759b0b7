"""Parsers of the reports of Vitis HLS and Vivado, one class per report; figures are in nanoseconds, cycles or counts.

A figure that is not found in its place is an error that shows file and line; it is never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.flows.report import RtlComparison

#: a count, with or without the percentage of the device that Vitis HLS appends
COUNT = r"(\d+)(?: \(~?\d+%\))?"


def _cells(line: str) -> list[str]:
    """The cells of a table row, which are separated by bars."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


class ReportFile:
    """The lines of a report; errors quote them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            raise SynthesisError(
                f"the tool did not write this report ({error.strerror})",
                where=str(path),
                remedy="see the logs of the tool",
            ) from error

    def error(self, what: str, index: int | None = None) -> SynthesisError:
        """The error that `what` was expected, in the line `index` if there is one."""
        line = f"line {index + 1} is {self.lines[index].strip()!r}" if index is not None else "no such line"
        return SynthesisError(
            f"unknown report format: expected {what}, but {line}",
            where=str(self.path),
            remedy="use a version of the tools listed in docs/synthesis.md, or adapt flows/vendor_reports.py",
        )

    def _search(self, pattern: str, what: str, start: int) -> tuple[int, re.Match[str]]:
        for index in range(start, len(self.lines)):
            if match := re.search(pattern, self.lines[index]):
                return index, match
        raise self.error(what)

    def find(self, pattern: str, what: str, start: int = 0) -> int:
        """Index of the first matching line, from `start` on."""
        return self._search(pattern, what, start)[0]

    def field(self, pattern: str, what: str) -> str:
        """The first group of the first matching line."""
        return self._search(pattern, what, 0)[1][1]

    def row(self, index: int, headings: list[str]) -> dict[str, str]:
        """Cells of a line, by heading."""
        cells = _cells(self.lines[index]) if index < len(self.lines) else []
        if len(cells) != len(headings):
            raise self.error(f"{len(headings)} cells", min(index, len(self.lines) - 1))
        return dict(zip(headings, cells, strict=True))

    def number(self, text: str | None, pattern: str, what: str, index: int) -> str:
        """The first group of the pattern, which must match the whole cell."""
        match = re.fullmatch(pattern, text or "")
        if match is None:
            raise self.error(what, index)
        return match[1]


@dataclass(frozen=True)
class HlsSummary:
    """``syn/report/csynth.rpt``, the synthesis summary of Vitis HLS: estimates of the whole design.

    Attributes
    ----------
    latency_cycles, latency_ns, interval_cycles : int, float, int or None
        None if unknown to the tool, for instance because of a loop with variable bounds.
    bram36 : float
        Block RAMs of 36 kbit (the report counts 18 kbit ones).
    """

    version: str
    device: str
    top: str
    slack_ns: float
    latency_cycles: int | None
    latency_ns: float | None
    interval_cycles: int | None
    lut: int
    ff: int
    dsp: int
    bram36: float

    @classmethod
    def parse(cls, path: Path) -> HlsSummary:
        """Read the report; a SynthesisError shows the line that is not as expected."""
        report = ReportFile(path)
        first = report.find(r"^\s*\|\s*Modules\s*\|", "the table of modules and loops")
        if first + 3 >= len(report.lines):
            raise report.error("a table", first)
        pairs = zip(_cells(report.lines[first]), _cells(report.lines[first + 1]), strict=False)
        index = first + 3
        row = report.row(index, [" ".join(filter(None, pair)) for pair in pairs])
        if not row.get("Modules & Loops", "").startswith("+"):
            raise report.error("the top function", index)

        def known(heading: str, pattern: str) -> str | None:
            """A cell; None for the dash or question mark of an unknown figure."""
            value = report.number(row.get(heading), rf"({pattern}|-|\?|undef)", heading, index)
            return None if value in ("-", "?", "undef") else value

        def count(heading: str) -> int:
            """A resource; the tool writes a dash for zero."""
            cell = row.get(heading)
            return 0 if cell == "-" else int(report.number(cell, COUNT, heading, index))

        cycles, ns = known("Latency (cycles)", r"\d+"), known("Latency (ns)", r"\d[\d.e+]*")
        interval = known("Interval", r"\d+")
        return cls(
            version=report.field(r"\* Version:\s+(\d{4}\.\d)", "the version"),
            device=report.field(r"\* Target device:\s+(\S+)", "the target device"),
            top=report.field(r"Synthesis Summary Report of '(.+)'", "the title"),
            slack_ns=float(report.number(row.get("Slack"), r"(-?\d+\.\d+)", "Slack", index)),
            latency_cycles=int(cycles) if cycles else None,
            latency_ns=float(ns) if ns else None,
            interval_cycles=int(interval) if interval else None,
            lut=count("LUT"),
            ff=count("FF"),
            dsp=count("DSP"),
            bram36=count("BRAM") / 2,
        )


@dataclass(frozen=True)
class HlsClock:
    """``syn/report/<top>_csynth.rpt`` of Vitis HLS: the clock, in nanoseconds."""

    target_ns: float
    estimated_ns: float

    @classmethod
    def parse(cls, path: Path) -> HlsClock:
        """Read the report; a SynthesisError shows the line that is not as expected."""
        report = ReportFile(path)
        heading = report.find(r"^\s*\|\s*Clock\s*\|", "the table of the clock")
        index = heading + 2
        row = report.row(index, _cells(report.lines[heading]))
        values = [
            float(report.number(row.get(name), r"(\d+\.\d+) ns", f"{name} in ns", index))
            for name in ("Target", "Estimated")
        ]
        return cls(*values)


@dataclass(frozen=True)
class CosimReport:
    """``sim/report/<top>_cosim.rpt`` of Vitis HLS: clock cycles of the slowest event; None for NA."""

    passed: bool
    latency_cycles: int | None
    interval_cycles: int | None

    @classmethod
    def parse(cls, path: Path) -> CosimReport:
        """Read the report; a SynthesisError shows the line that is not as expected."""
        report = ReportFile(path)
        heading = report.find(r"\|\s*min\s*\|", "the headings min, avg, max of latency and interval")
        if [cell for cell in _cells(report.lines[heading]) if cell] != ["min", "avg", "max"] * 2:
            raise report.error("min, avg, max of latency and of interval", heading)
        index = report.find(r"^\|\s*Verilog\s*\|", "the row of Verilog", heading)
        cells = _cells(report.lines[index])
        if len(cells) < 8 or cells[1] not in ("Pass", "Fail"):
            raise report.error("Pass or Fail, and six numbers", index)
        latency, interval = (report.number(cells[i], r"(\d+|NA)", "a number of cycles", index) for i in (4, 7))
        return cls(
            passed=cells[1] == "Pass",
            latency_cycles=None if latency == "NA" else int(latency),
            interval_cycles=None if interval == "NA" else int(interval),
        )


def post_check(log: str) -> RtlComparison | None:
    """Test bench result for the outputs of the RTL, from the log of a co-simulation.

    The bench runs twice, the second time on the outputs of the RTL. None if there was no second run.
    """
    _, begun, checking = log.partition("Starting C post checking")
    summary = re.search(r"^(?:PASS|FAIL): (\d+) events, (\d+) mismatches\s*$", checking, re.MULTILINE)
    return RtlComparison(int(summary[1]), int(summary[2])) if begun and summary else None


@dataclass(frozen=True)
class Utilisation:
    """``report_utilization`` of Vivado."""

    version: str
    device: str
    design: str
    state: str
    lut: int
    ff: int
    carry8: int
    dsp: int
    bram36: float

    @classmethod
    def parse(cls, path: Path) -> Utilisation:
        """Read the report; a SynthesisError shows the line that is not as expected."""
        report = ReportFile(path)
        used: dict[str, tuple[str, int]] = {}
        headings: list[str] = []
        for index, line in enumerate(report.lines):
            cells = _cells(line)
            if cells[0] == "Site Type":
                headings = cells
            elif not line.startswith(("|", "+")):
                headings = []
            elif headings and line.startswith("|"):
                row = report.row(index, headings)
                used.setdefault(row["Site Type"].rstrip("*"), (row.get("Used", ""), index))

        def count(name: str, pattern: str = r"(\d+)") -> str:
            if name not in used:
                raise report.error(f"a row {name!r}")
            return report.number(used[name][0], pattern, f"the number of {name}", used[name][1])

        return cls(
            version=report.field(r"Tool Version : Vivado v\.?(\d{4}\.\d)", "the tool version"),
            device=report.field(r"Device\s+: (\S+)", "the device"),
            design=report.field(r"Design\s+: (\S+)", "the design"),
            state=report.field(r"Design State\s*: (.*\S)", "the design state"),
            lut=int(count("CLB LUTs")),
            ff=int(count("CLB Registers")),
            carry8=int(count("CARRY8")),
            dsp=int(count("DSPs")),
            bram36=float(count("Block RAM Tile", r"(\d+(?:\.\d+)?)")),
        )


@dataclass(frozen=True)
class TimingSummary:
    """``report_timing_summary`` of Vivado: worst setup slack in nanoseconds."""

    wns_ns: float

    @classmethod
    def parse(cls, path: Path) -> TimingSummary:
        """Read the report; a SynthesisError shows the line that is not as expected."""
        report = ReportFile(path)
        start = report.find(r"\| Design Timing Summary", "the design timing summary")
        heading = report.find(r"WNS\(ns\)\s", "the heading WNS(ns)", start)
        index = min(heading + 2, len(report.lines) - 1)
        headings, values = re.split(r"\s{2,}", report.lines[heading].strip()), report.lines[index].split()
        if len(headings) != len(values) or headings[0] != "WNS(ns)":
            raise report.error(f"{len(headings)} numbers, the first the worst slack", index)
        return cls(float(report.number(values[0], r"(-?\d+\.\d+)", "the worst slack of a constrained path", index)))

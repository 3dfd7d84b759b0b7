"""The common report of all synthesis flows: ``synth.json`` and what is printed (docs/synthesis.md)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.files import write_atomically
from nanopelican_hls.flows.parts import find_part

#: resources with a total in the part; for others, a report has only counts
TOTALS = ("lut", "ff", "dsp", "bram36")

#: time between two bunch crossings of the LHC
BUNCH_CROSSING_NS = 25.0


def resources(found: Any) -> dict[str, Any]:
    """The resources (`TOTALS`) of a tool's report, a synthesis report or a part, by name."""
    return {name: getattr(found, name) for name in TOTALS}


@dataclass(frozen=True)
class RtlComparison:
    """Comparison of RTL simulation with QONNX execution.

    Attributes
    ----------
    events : int
        Number of simulated jets.
    mismatches : int
        Number of jets for which the output of the RTL differs.
    """

    events: int
    mismatches: int


@dataclass(frozen=True)
class Timing:
    """A tool's estimate of the clock period.

    Attributes
    ----------
    source : str
        Tool and stage.
    estimate_ns : float
        Shortest clock period that meets timing, by its estimate.
    """

    source: str
    estimate_ns: float


@dataclass(frozen=True)
class SynthesisReport:
    """Result of a synthesis flow; numbers that it does not determine are None, never guesses.

    Attributes
    ----------
    part : str
        Full ordering code.
    flow : str
        ``vendor`` or ``open``.
    stage : str
        Last stage, such as ``csynth`` or ``vsynth``; counts of different stages are not comparable.
    tool_versions : mapping of str to str
        Version of every tool that was used.
    clock_period_ns : float
        Requested clock period.
    latency_cycles, initiation_interval : int or None
        Clock cycles from an event to its logit, and from an event to the next.
    lut, ff, dsp, carry : int or None
        Resources; ``carry`` counts CARRY8 blocks.
    bram36 : float or None
        Block RAMs of 36 kbit; one of 18 kbit counts half.
    rtl_vs_qonnx : RtlComparison or None
        None if the RTL was not simulated.
    timing : Timing or None
        None if no tool estimated it.
    program_sha256, command : str or None
        Checksum of the program, by which `nanopelican report` sees that the result is of the present model, and the
        command that made it; None if it was no command.
    """

    part: str
    flow: str
    stage: str
    tool_versions: Mapping[str, str]
    clock_period_ns: float
    latency_cycles: int | None = None
    initiation_interval: int | None = None
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram36: float | None = None
    carry: int | None = None
    rtl_vs_qonnx: RtlComparison | None = None
    timing: Timing | None = None
    program_sha256: str | None = None
    command: str | None = None

    @property
    def latency_ns(self) -> float | None:
        """Latency in cycles times the requested clock period."""
        return None if self.latency_cycles is None else round(self.latency_cycles * self.clock_period_ns, 4)

    @property
    def utilisation_percent(self) -> dict[str, float | None]:
        """Share of the part's resources in percent, by resource."""
        totals = resources(find_part(self.part))
        return {
            name: None if count is None else round(100 * count / totals[name], 3)
            for name, count in resources(self).items()
        }

    def as_json(self) -> dict[str, Any]:
        """The content of ``synth.json``, in the order of docs/synthesis.md."""
        content = dataclasses.asdict(self) | {
            "tool_versions": dict(self.tool_versions),
            "latency_ns": self.latency_ns,
            "utilisation_percent": self.utilisation_percent,
        }
        return {key: content[key] for key in JSON_KEYS}


JSON_KEYS = (
    "part",
    "flow",
    "stage",
    "tool_versions",
    "clock_period_ns",
    "latency_cycles",
    "latency_ns",
    "initiation_interval",
    "lut",
    "ff",
    "dsp",
    "bram36",
    "carry",
    "utilisation_percent",
    "rtl_vs_qonnx",
    "timing",
    "program_sha256",
    "command",
)


def write_report(report: SynthesisReport, path: Path) -> None:
    """Write ``synth.json``."""
    write_atomically(path, json.dumps(report.as_json(), indent=2) + "\n", SynthesisError)


def described(report: SynthesisReport) -> tuple[str, dict[str, str]]:
    """The report for people: a caption with tools and stage, without which the numbers mean little, and values."""
    tools = " and ".join(f"{tool} {version}" for tool, version in report.tool_versions.items())
    used = report.utilisation_percent
    rows = {
        "latency": f"{_text(report.latency_cycles, 'cycles')}, {_text(report.latency_ns, 'ns')}",
        "initiation interval": _text(report.initiation_interval, "cycles"),
        "rate": _rate(report),
        **{_LABELS[name]: f"{_text(getattr(report, name))} ({_text(used[name], '%')})" for name in TOTALS},
        "CARRY8": _text(report.carry),
        "RTL against QONNX": "not simulated",
        "clock": f"{report.clock_period_ns:g} ns requested",
    }
    if report.rtl_vs_qonnx:
        comparison = report.rtl_vs_qonnx
        rows["RTL against QONNX"] = f"{comparison.mismatches} of {comparison.events} events differ"
    if report.timing:
        rows["clock"] += f", {report.timing.estimate_ns:g} ns by {report.timing.source}"
    return f"{report.part}, {report.flow} flow, stage {report.stage}, by {tools}", rows


_LABELS = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram36": "BRAM36"}


def _rate(report: SynthesisReport) -> str:
    if report.initiation_interval is None:
        return "unknown"
    between_ns = report.initiation_interval * report.clock_period_ns
    return f"{1e3 / between_ns:,.1f} million jets/s, {BUNCH_CROSSING_NS / between_ns:.3g} per bunch crossing"


def _text(value: float | None, unit: str = "") -> str:
    return "unknown" if value is None else f"{value:,} {unit}".strip()

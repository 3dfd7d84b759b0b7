"""The one report of all synthesis flows: ``synth.json`` and the printed table (docs/synthesis.md)."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.synth.parts import find_part

#: resources of which a part has a total; the rest of a report's resources are counts alone
TOTALS = ("lut", "ff", "dsp", "bram36")


@dataclass(frozen=True)
class RtlComparison:
    """RTL simulation against QONNX execution.

    Attributes
    ----------
    events : int
        Jets that were simulated.
    mismatches : int
        Those of them in which the RTL's output is another integer.
    """

    events: int
    mismatches: int


@dataclass(frozen=True)
class Timing:
    """What a tool says about the clock.

    Attributes
    ----------
    source : str
        Tool and stage.
    estimate_ns : float
        Shortest clock period that it expects to work.
    """

    source: str
    estimate_ns: float


@dataclass(frozen=True)
class SynthesisReport:
    """What a flow found; a number that it cannot know is None, never a guess.

    Attributes
    ----------
    part : str
        Full ordering code.
    flow : str
        ``vendor`` or ``open``.
    stage : str
        How far it went, such as ``csynth`` or ``vsynth``: counts of different stages are not comparable.
    tool_versions : mapping of str to str
        Every tool that took part.
    clock_period_ns : float
        Asked for.
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

    @property
    def latency_ns(self) -> float | None:
        """Latency in cycles times the clock period asked for."""
        return None if self.latency_cycles is None else round(self.latency_cycles * self.clock_period_ns, 4)

    @property
    def utilisation_percent(self) -> dict[str, float | None]:
        """Share of the part's resources, by resource."""
        part = find_part(self.part)
        used = {name: getattr(self, name) for name in TOTALS}
        return {
            name: None if count is None else round(100 * count / getattr(part, name), 3) for name, count in used.items()
        }

    def as_json(self) -> dict[str, Any]:
        """Plain values, in the order of docs/synthesis.md."""
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
)
#: keys that follow from others
DERIVED = ("latency_ns", "utilisation_percent")


def parse_report(content: Any, where: str) -> SynthesisReport:
    """The report that `SynthesisReport.as_json` wrote.

    Raises
    ------
    SynthesisError
        If a key is missing or unknown, or a derived value does not follow from the others.
    """
    if not isinstance(content, dict) or set(content) != set(JSON_KEYS):
        keys = content if isinstance(content, dict) else ()
        different = sorted(set(JSON_KEYS) ^ set(keys))
        raise SynthesisError(f"is not a synthesis report: missing or unknown keys {', '.join(different)}", where=where)
    values = {key: value for key, value in content.items() if key not in DERIVED}
    try:
        values["rtl_vs_qonnx"] = values["rtl_vs_qonnx"] and RtlComparison(**values["rtl_vs_qonnx"])
        values["timing"] = values["timing"] and Timing(**values["timing"])
        report = SynthesisReport(**values)
        derived = {key: value for key, value in report.as_json().items() if key in DERIVED}
    except TypeError as error:
        raise SynthesisError(f"is not a synthesis report: {error}", where=where) from error
    for key, value in derived.items():
        if content[key] != value:
            raise SynthesisError(f"{key} is {content[key]}, but {value} follows from the other values", where=where)
    return report


def read_report(path: Path) -> SynthesisReport:
    """Read ``synth.json``.

    Raises
    ------
    SynthesisError
        If the file cannot be read, or is no report.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SynthesisError(f"cannot be read ({error})", where=str(path), remedy="synthesise again") from error
    return parse_report(content, str(path))


def write_report(report: SynthesisReport, path: Path) -> None:
    """Write ``synth.json`` under a temporary name, then rename: a reader never sees half a report."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(report.as_json(), indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def table(report: SynthesisReport) -> str:
    """The report for people; the caption names tools and stage, for numbers of other tools or stages differ."""
    tools = " and ".join(f"{tool} {version}" for tool, version in report.tool_versions.items())
    used = report.utilisation_percent
    rows = {
        "latency": f"{_text(report.latency_cycles, 'cycles')}, {_text(report.latency_ns, 'ns')}",
        "initiation interval": _text(report.initiation_interval, "cycles"),
        **{_LABELS[name]: f"{_text(getattr(report, name))} ({_text(used[name], '%')})" for name in TOTALS},
        "CARRY8": _text(report.carry),
        "RTL against QONNX": "not simulated",
        "clock": f"{report.clock_period_ns:g} ns asked for",
    }
    if report.rtl_vs_qonnx:
        comparison = report.rtl_vs_qonnx
        rows["RTL against QONNX"] = f"{comparison.mismatches} of {comparison.events} events differ"
    if report.timing:
        rows["clock"] += f", {report.timing.estimate_ns:g} ns by {report.timing.source}"
    width = max(map(len, rows))
    caption = f"{report.part}, {report.flow} flow, stage {report.stage}, by {tools}"
    return "\n".join([caption, *(f"  {name.ljust(width)}  {value}" for name, value in rows.items())])


_LABELS = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram36": "BRAM36"}


def _text(value: float | None, unit: str = "") -> str:
    return "unknown" if value is None else f"{value:,} {unit}".strip()

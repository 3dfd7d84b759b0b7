"""Hardware: latency, interval and cells of this model, by piece; against the interval and N; against published ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nanopelican_hls.benchmarks.ring_page import PUBLISHED
from nanopelican_hls.errors import ReportError
from nanopelican_hls.estimate.estimate import Calibration
from nanopelican_hls.extras import is_installed
from nanopelican_hls.flows.parts import find_part
from nanopelican_hls.flows.report import BUNCH_CROSSING_NS
from nanopelican_hls.report.content import (
    Block,
    Cell,
    Column,
    Measured,
    Missing,
    Panel,
    Paragraph,
    Picture,
    Section,
    Series,
    Table,
)
from nanopelican_hls.report.subject import Subject

#: stages of docs/synthesis.md, in words
STAGES = {
    "mapped": "mapped by Yosys, not placed",
    "csynth": "estimates of Vitis HLS",
    "cosim": "estimates of Vitis HLS, simulated",
    "vsynth": "logic synthesis by Vivado, not placed",
    "impl": "as placed and routed by Vivado",
}
RESOURCES = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram36": "BRAM36"}
PLACED = "as placed and routed"
#: the form of ring.json that is no model of the zoo
FORM = "c"

Row = Mapping[str, Any]


def section(subject: Subject) -> Section:
    return Section(
        "hardware",
        "Hardware",
        "What does it cost, how long does it take, how often does it take a jet, and where do the cells go?",
        (*_synthesis(subject), *_estimate(subject), *_pieces(subject), *_against_others(subject)),
    )


def _synthesis(subject: Subject) -> list[Block]:
    found = subject.synth
    if found is None:
        return [Missing("Not synthesised", subject.synth_command)]
    if subject.is_stale(found):
        return [Missing("synth.json in the build folder is of another QONNX graph", subject.synth_command)]
    part = find_part(found["part"])
    totals, used = (
        {"lut": part.lut, "ff": part.ff, "dsp": part.dsp, "bram36": part.bram36},
        found["utilisation_percent"],
    )
    tools = " and ".join(f"{tool} {version}" for tool, version in found["tool_versions"].items())
    cells: list[tuple[Cell, ...]] = [
        (title, found[name], totals[name], used[name]) for name, title in RESOURCES.items()
    ]
    if found["carry"] is not None:
        cells.append(("CARRY8", found["carry"], None, None))
    return [
        Paragraph(f"Stage: {said_stage(found)}, by {tools}. Figures of different stages do not compare."),
        Table(
            "timing",
            f"Latency and rate on a {found['part']}, with a clock of {found['clock_period_ns']:g} ns",
            (Column("quantity"), Column("value", ",.6g"), Column("unit", compared=False)),
            tuple(_timing(found)),
            subject.synth_source,
        ),
        Table(
            "resources",
            f"Resources of a {found['part']}, {said_stage(found)}",
            (Column("resource"), Column("used"), Column("in the part", compared=False), Column("share", ".3f", "%")),
            tuple(cells),
            subject.synth_source,
        ),
    ]


def said_stage(found: Mapping[str, Any]) -> str:
    return STAGES.get(found["stage"], str(found["stage"]))


def _timing(found: Mapping[str, Any]) -> list[tuple[Cell, ...]]:
    interval = found["initiation_interval"]
    between = None if interval is None else interval * found["clock_period_ns"]
    rows: list[tuple[Cell, ...]] = [
        ("latency", found["latency_cycles"], "cycles"),
        ("latency", found["latency_ns"], "ns"),
        ("initiation interval", interval, "cycles"),
        ("rate", None if between is None else 1e3 / between, "million jets/s"),
        ("jets per bunch crossing of 25 ns", None if between is None else BUNCH_CROSSING_NS / between, ""),
        ("clock period asked for", found["clock_period_ns"], "ns"),
    ]
    timing = found["timing"]
    rows.append(
        (f"clock period, by {timing['source']}", timing["estimate_ns"], "ns")
        if timing
        else ("clock period that is reached: no tool has estimated it", None, "ns")
    )
    return rows


def _estimate(subject: Subject) -> list[Block]:
    """Latency and resources without any tool, in seconds."""
    firmware = subject.config.firmware
    command = subject.calls("estimate", subject.models_option)
    if not is_installed("alkaid"):
        return [Missing("Not estimated: the extra rtl is not installed", command)]
    from nanopelican_hls.estimate.estimate import estimate
    from nanopelican_hls.rtl import open_settings

    settings = open_settings(firmware.clock_period_ns, interval=firmware.interval, streamed=firmware.streamed)
    calibration = Calibration.read()
    found = estimate(subject.program, settings, calibration)
    mean, largest = calibration.mean_error_percent, calibration.largest_error_percent
    return [
        Table(
            "estimate",
            "Estimate without any tool, for the interval and the clock of the configuration. Cycles and DSPs are "
            f"exact; LUT and FF miss by {mean['lut']}% and {mean['ff']}% on average (at most {largest['lut']}% and "
            f"{largest['ff']}%) what Yosys maps.",
            (Column("quantity"), Column("value"), Column("unit", compared=False)),
            (
                ("latency", found.latency_cycles, "cycles"),
                ("initiation interval", found.interval, "cycles"),
                ("LUT", found.lut, ""),
                ("FF", found.ff, ""),
                ("DSP", found.dsp, ""),
            ),
            command,
        )
    ]


def _pieces(subject: Subject) -> list[Block]:
    found = subject.pieces
    if not found or not subject.synth or subject.synth["flow"] != "open" or subject.is_stale(subject.synth):
        return []
    total = sum(each["lut"] for each in found["pieces"].values()) or 1
    rows = [
        (name, each["instances"], each["lut"], 100 * each["lut"] / total, each["ff"], each["dsp"], each["srl"])
        for name, each in sorted(found["pieces"].items(), key=lambda item: -item[1]["lut"])
    ]
    return [
        Table(
            "pieces",
            "Cells by piece, with all of its instances: a piece is named after its tensor, `booth` are multipliers in "
            "LUTs, `control` the valid flags and `delay` the registers between pieces. LUT include those used as shift "
            "registers (SRL).",
            (
                Column("piece"),
                Column("instances"),
                Column("LUT"),
                Column("share", ".1f", "%"),
                Column("FF"),
                Column("DSP"),
                Column("SRL"),
            ),
            tuple(rows),
            subject.synth_source,
            folded=True,
        )
    ]


def _against_others(subject: Subject) -> list[Block]:
    ring = _rows(subject.benchmarks / "ring.json")
    blocks: list[Block] = []
    if ring:
        blocks.append(_against_interval(subject, ring))
    else:
        blocks.append(Missing(f"{subject.benchmarks}/ring.json is not there", "nanopelican bench-ring"))
    picture, table = _published(subject, ring)
    blocks += [picture, *([_table(subject, ring)] if ring else []), table]
    return [*blocks, *_rivals(subject)]


def _rows(path: Path) -> list[Row]:
    """The rows of a benchmark; none if it is not there."""
    if not path.is_file():
        return []
    try:
        found: list[Row] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ReportError(
            f"is not JSON ({error})", where=str(path), remedy="name the folder of another one: --benchmarks FOLDER"
        ) from error
    return found


def _own(subject: Subject, ring: Sequence[Row]) -> list[Row]:
    return [row for row in ring if row["network"] == subject.name]


def _against_interval(subject: Subject, ring: Sequence[Row]) -> Picture:
    """LUT of the zoo, or of the form (c) if this model is not among them, against the interval."""
    groups: dict[str, list[Row]] = {}
    for row in ring:
        is_form = row["network"] == FORM
        if is_form != bool(_own(subject, ring)) and not row["streamed"]:
            name = f"form (c), N = {row['n_constituents']}" if is_form else row["network"]
            groups.setdefault(name, []).append(row)
    panels = []
    for products, title in (("dsp", "LUT, products in DSPs"), ("fabric", "LUT, all in LUTs")):
        series = []
        for k, (name, rows) in enumerate(groups.items()):
            points = sorted((row["initiation_interval"], row["lut"]) for row in rows if row["products"] == products)
            if points:
                series.append(_series(name, "quantised" if name == subject.name else f"size{k % 6}", "line", points))
        found = _mapped(subject)
        if found and (found["dsp"] > 0) == (products == "dsp"):
            series.append(_series("this build", "here", "points", [(found["initiation_interval"], found["lut"])]))
        panels.append(Panel(title, tuple(series), log=True))
    return Picture(
        "interval",
        "LUT against the initiation interval, for sizes of the zoo or of the form (c) of docs/studies.md; as mapped by "
        "Yosys, constituents all at once.",
        "The number of LUTs falls as the interval grows, and rises with N: the table below has the numbers.",
        "initiation interval [clock cycles]",
        tuple(panels),
        "nanopelican bench-ring",
        ticks=tuple(float(k) for k in range(1, 10)),
        compared="LUT against the initiation interval; as mapped by Yosys, constituents all at once.",
    )


def _mapped(subject: Subject) -> Row | None:
    """The build, if its cells compare with those of ring.json."""
    found = subject.synth
    return found if found and found["stage"] == "mapped" and not subject.is_stale(found) else None


def _series(label: str, role: str, style: str, points: Sequence[tuple[float, float]]) -> Series:
    return Series(label, role, style, tuple(float(x) for x, _ in points), tuple(float(y) for _, y in points))


def _table(subject: Subject, ring: Sequence[Row]) -> Table:
    own = _own(subject, ring)
    rows = [
        (
            f"{'form (c)' if row['network'] == 'c' else row['network']}, {row['products']}, every "
            f"{row['initiation_interval']}{', streamed' * row['streamed']}",
            row["n_constituents"],
            row["initiation_interval"],
            row["latency_cycles"],
            row["latency_ns"],
            row["lut"],
            row["ff"],
            row["dsp"],
            row["figures"].get("auc"),
        )
        for row in [*own, *(row for row in ring if row not in own)]
    ]
    return Table(
        "ring",
        "Against the interval and N: rows of this model first, if there are any. As mapped by Yosys; every row is "
        "proved by "
        "simulation (benchmarks/ring.md).",
        (
            Column("design"),
            Column("N"),
            Column("interval"),
            Column("cycles"),
            Column("latency", ".1f", "ns"),
            Column("LUT"),
            Column("FF"),
            Column("DSP"),
            Column("AUC", ".4f"),
        ),
        tuple(rows),
        "nanopelican bench-ring",
        folded=True,
    )


def _published(subject: Subject, ring: Sequence[Row]) -> tuple[Picture, Table]:
    """Other taggers as published, with the stages of their figures, beside this one."""
    content = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    size = subject.config.network.n_constituents
    found = subject.synth if subject.synth and not subject.is_stale(subject.synth) else None
    own = [(f"{subject.name}, this build", found, "synth.json")] if found else []
    own += [(f"{subject.name}, {_products(r)}", r, "ring.json") for r in _own(subject, ring) if not r["streamed"]]
    rows: list[tuple[Cell, ...]] = [
        (
            title,
            size,
            str(row["initiation_interval"]),
            *(row[name] for name in ("latency_ns", "lut", "dsp")),
            said_stage(row),
            source,
        )
        for title, row, source in own
    ]
    for row in content["rows"]:
        rows += [
            (row["tagger"], int(n), str(row["interval"]), float(ns), lut, row["dsp"], PLACED, row["source"])
            for n, (lut, ns) in row["sizes"].items()
        ]
    shown = _fastest([row for _, row, _ in own])
    series = [
        replace(
            _series(
                f"{subject.name}, {_products(row)}{_unless_one(row['initiation_interval'])}",
                "quantised",
                "points",
                [(size, row["lut"])],
            ),
            dashed=row["dsp"] == 0,
        )
        for row in shown
    ]
    for k, row in enumerate(content["rows"]):
        points = sorted((int(n), lut) for n, (lut, _) in row["sizes"].items())
        series.append(_series(row["tagger"] + _unless_one(row["interval"]), f"size{k % 6}", "line", points))
    stages = ", ".join(dict.fromkeys(said_stage(row) for row in shown)) or "not mapped"
    classes = f"{len(subject.classes)} classes" if subject.classes else "two classes"
    alt = "LUTs of published taggers lie between 36,000 and 903,000 cells for 8 to 128 constituents"
    luts = [f"{row['lut']:,} {_products(row)}" for row in shown]
    return (
        Picture(
            "published",
            f"LUT against N, at a jet every cycle (interval 1) unless the legend says otherwise. {subject.name}: "
            f"{stages}, {classes}, other jets. The others as published: placed and routed, five classes.",
            f"{alt}; this model has {' and '.join(luts)}." if luts else f"{alt}.",
            "constituents N",
            (Panel("LUT", tuple(series), log=True),),
            "nanopelican bench-ring",
            log=True,
            ticks=(8.0, 16.0, 32.0, 64.0, 128.0),
            compared=f"LUT against N, at an interval of 1 unless the legend says otherwise: {stages}.",
        ),
        Table(
            "published_table",
            f"Published taggers beside this one, each with its stage: {content['what']}.",
            (
                Column("tagger"),
                Column("N"),
                Column("interval"),
                Column("latency", ".1f", "ns"),
                Column("LUT"),
                Column("DSP"),
                Column("stage"),
                Column("source"),
            ),
            tuple(rows),
            "nanopelican bench-ring",
            folded=True,
        ),
    )


def _fastest(rows: Sequence[Row]) -> list[Row]:
    """Of the rows with DSPs, and of those without, the one with the smallest interval."""
    known = [row for row in rows if None not in (row["lut"], row["dsp"], row["initiation_interval"])]
    return [
        min(those, key=lambda row: int(row["initiation_interval"]))
        for those in ([row for row in known if row["dsp"]], [row for row in known if not row["dsp"]])
        if those
    ]


def _products(row: Row) -> str:
    return f"with DSP ({row['dsp']:,})" if row["dsp"] else "without DSP"


def _unless_one(interval: object) -> str:
    return "" if interval == 1 else f", interval {interval}"


def _rivals(subject: Subject) -> list[Block]:
    """Other taggers trained on the same jets and mapped by the same flow."""
    found = _rows(subject.benchmarks / "rivals.json")
    if not found:
        return [Missing(f"{subject.benchmarks}/rivals.json is not there", "make rivals JETS=FOLDER")]
    rows: list[tuple[Cell, ...]] = []
    for row in found:
        figures = row["figures"]
        rows.append(
            (
                row["name"],
                row["tagger"],
                row["n_constituents"],
                row["inputs"],
                *(_measured(figures, name) for name in ("auc", "rejection_30")),
                *(row[name] for name in ("latency_cycles", "lut", "ff", "dsp")),
            )
        )
    return [
        Table(
            "rivals",
            "Deep Sets and JEDI-linear trained on the same jets and mapped by the same flow (docs/rivals.md)",
            (
                Column("design"),
                Column("tagger"),
                Column("N"),
                Column("inputs"),
                Column("AUC", ".4f"),
                Column("rejection at 30%", ",.0f"),
                Column("cycles"),
                Column("LUT"),
                Column("FF"),
                Column("DSP"),
            ),
            tuple(rows),
            "make rivals JETS=FOLDER",
            folded=True,
        )
    ]


def _measured(figures: Mapping[str, float], name: str) -> Cell:
    value, error = figures.get(name), figures.get(f"{name}_error")
    return value if value is None or error is None else Measured(value, error)

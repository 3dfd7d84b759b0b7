"""The page of the benchmark: a table for each form, and the largest pieces where a target is missed."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from nanopelican_hls.benchmarks.synthesis import CLOCK_PERIOD_NS, FORMS, LATENCY_AIM_NS, PART, STEPS, Form, Row, peer
from nanopelican_hls.markdown import table

#: number of pieces listed for a missed target
NAMED_PIECES = 5
RESOURCES = ("lut", "ff", "dsp")
#: resources of a piece, whose ``lut`` excludes shift registers
OF_PIECES = ("lut", "srl", "ff", "dsp")
#: parts of the network, and patterns of the names of their pieces (docs/rtl.md)
PARTS = {
    "products of momenta, their sums and quantisers": "product|booth|d(_jet|_jj)?_exact.*",
    "row sums, total": "[rs]_exact(_jet)?",
    "row, column and diagonal terms": "(row|column)_exact(_shared)?|g(_jet|_shared)?",
    "pair level": "z",
    "sums over pairs and diagonal": "(pair|diagonal)_sum_exact",
    "mask, logit": "mask|logit_exact",
    "shift registers between pieces": "delay",
}
TITLES = {
    "a": "untied, C = 2, 12-bit laboratory momenta, beams (the form of the hand-written design)",
    "b": "symmetric, C = 2, 12-bit laboratory momenta, beams",
    "c": "symmetric, C = 4, 8-bit light-cone momenta, the jet as spurion",
    "d": "as (c), without DSPs",
}


def page(rows: Sequence[Row], conversion: Mapping[str, Any] | None = None) -> str:
    """The page in Markdown, from the rows and the cost of converting trigger words."""
    by_form = {letter: [row for row in rows if row["form"] == letter] for letter in FORMS}
    parts = [_head(rows)]
    for letter, found in by_form.items():
        if found:
            parts += [f"## ({letter}) {TITLES[letter]}", _aims(FORMS[letter]), _table(found), _figures(found)]
            parts += ["LUT (without SRL) / SRL / FF / DSP by part of the hardware:", _parts(found)]
            parts += _missed(FORMS[letter], found)
    parts += [_conversion(conversion)] if conversion else []
    return "\n\n".join(parts) + "\n"


def _conversion(found: Mapping[str, Any]) -> str:
    head = ["conversion of", "LUT", "of which SRL", "FF", "DSP"]
    rows = []
    for whose, title in (("constituent", "a constituent"), ("jet", "the jet")):
        cells = found[whose]
        rows.append([title, cells["lut"] + cells["srl"], cells["srl"], cells["ff"], cells["dsp"]])
    proof = found["rtl_vs_qonnx"]
    return "\n\n".join(
        [
            "## Conversion of trigger words",
            "From Level-1 words to light-cone components ([docs/level1.md](../docs/level1.md)); not included in the "
            f"rows above. Measured in {found['model']}, where it takes the first {found['cycles']} cycles; "
            f"{proof['events']:,} events, {proof['mismatches']} mismatches.",
            table(head, rows),
        ]
    )


def _head(rows: Sequence[Row]) -> str:
    tools = ", ".join(sorted({f"{name} {v}" for row in rows for name, v in row["tool_versions"].items()}))
    return "\n\n".join(
        [
            "# Synthesis of all forms",
            f"`make bench-synth`: the open flow ([docs/rtl.md](../docs/rtl.md)), {PART}, {CLOCK_PERIOD_NS} ns, an "
            f"event every cycle, with {tools}. Networks: `benchmarks/forms`, 6 bits inside. Values: `synthesis.json`.",
            "Cells are counted by Yosys before placement; LUT includes shift registers (SRL). ns is cycles times the "
            "target clock period; pipeline stages follow the tracer's delay model, not a timing analysis. In brackets: "
            f"ratio to {peer()['what']}. The tools differ, so the ratios are only indicative.",
        ]
    )


def _aims(form: Form) -> str:
    aims = [
        f"{name.upper()} at most {limit:g} of the peer's" if limit else f"no {name.upper()}"
        for name, limit in form.aims.items()
    ]
    return f"Targets: {', '.join([*aims, f'latency below {LATENCY_AIM_NS:g} ns'])}. **Bold**: target missed."


def missed(form: Form, row: Row) -> list[str]:
    """Missed targets of a row: resources, and ``latency``."""
    ratios = row["ratio_to_peer"] or {}
    found = [name for name, limit in form.aims.items() if name in ratios and ratios[name] > limit]
    return found + ["latency"] * (row["latency_ns"] >= LATENCY_AIM_NS)


def _table(rows: Sequence[Row]) -> str:
    head = [
        "N",
        "cycles",
        "ns",
        "LUT",
        "of which SRL",
        "FF",
        "DSP",
        "events, mismatches",
        "s CPU, wall",
        "peak MB",
    ]
    return table(head, [_cells(row) for row in rows])


def _cells(row: Row) -> list[Any]:
    bad = missed(FORMS[row["form"]], row)

    def marked(name: str, text: str) -> str:
        return f"**{text}**" if name in bad else text

    ratios = row["ratio_to_peer"] or {}
    used = {
        name: marked(name, f"{row[name]:,}" + (f" ({ratios[name]:.2f})" if name in ratios else ""))
        for name in RESOURCES
    }
    shift_registers = sum(piece["srl"] for piece in row["pieces"].values())
    proof, seconds = row["rtl_vs_qonnx"], row["seconds"]
    return [
        row["n_constituents"],
        row["latency_cycles"],
        marked("latency", f"{row['latency_ns']:.1f}"),
        used["lut"],
        f"{shift_registers:,}",
        used["ff"],
        used["dsp"],
        f"{proof['events']:,}, {proof['mismatches']}",
        f"{seconds['processor']:.0f}, {seconds['clock']:.0f}",
        f"{row['peak_memory_mb']:,}",
    ]


def _figures(rows: Sequence[Row]) -> str:
    cells = [
        [row["n_constituents"], *(_figure(row, "auc", step, 4) for step in STEPS)]
        + [_figure(row, "rejection_30", step, 0) for step in STEPS]
        for row in rows
    ]
    return table(["N", "AUC float", "quantised", "rejection at 30% float", "quantised"], cells)


def _figure(row: Row, name: str, step: str, digits: int) -> str:
    value = row["figures"][step][name]
    return "unknown" if value is None else f"{value:.{digits}f}"


def _parts(rows: Sequence[Row]) -> str:
    used = [_by_part(row["pieces"]) for row in rows]
    titles = [*PARTS, *sorted(set().union(*used) - PARTS.keys())]
    cells = [[" / ".join(f"{parts[title][name]:,}" for name in OF_PIECES) for parts in used] for title in titles]
    head = ["part", *(f"N = {row['n_constituents']}" for row in rows)]
    return table(head, [[title, *texts] for title, texts in zip(titles, cells, strict=True)])


def _by_part(pieces: Mapping[str, Mapping[str, int]]) -> Mapping[str, Counter[str]]:
    """Resources by part; a piece of no known part counts as its own part."""
    used: dict[str, Counter[str]] = defaultdict(Counter)
    for piece, cells in pieces.items():
        part = next((title for title, names in PARTS.items() if re.fullmatch(names, piece)), f"`{piece}`")
        used[part].update({name: cells[name] for name in OF_PIECES})
    return used


def _missed(form: Form, rows: Sequence[Row]) -> list[str]:
    lines = []
    for row in rows:
        for name in missed(form, row):
            title = f"* N = {row['n_constituents']}, {name.upper() if name != 'latency' else name}: "
            lines.append(title + (_stages(row) if name == "latency" else _dearest(row, name)))
    return (
        ["Missed targets, and the largest pieces (for latency, the cycle of each first result):", "\n".join(lines)]
        if lines
        else []
    )


def _dearest(row: Row, name: str) -> str:
    """The pieces that use most of a resource; shift registers count as LUTs."""
    cost = {piece: cells[name] + (cells["srl"] if name == "lut" else 0) for piece, cells in row["pieces"].items()}
    largest = sorted(cost, key=lambda piece: -cost[piece])[:NAMED_PIECES]
    return ", ".join(f"`{piece}` {cost[piece]:,} ({100 * cost[piece] / row[name]:.0f}%)" for piece in largest)


def _stages(row: Row) -> str:
    """The cycle in which each piece has its first result."""
    cycles = row["first_result_cycle"]
    return ", ".join(f"`{piece}` in cycle {cycles[piece]}" for piece in sorted(cycles, key=lambda p: cycles[p]))

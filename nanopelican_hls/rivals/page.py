"""The comparison as a Markdown page and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nanopelican_hls.evaluation.figure_text import with_error
from nanopelican_hls.markdown import table
from nanopelican_hls.rivals.rows import OURS, Row

TITLES = {
    OURS: "nPELICAN",
    "deep-sets": "Deep Sets",
    "deep-sets-tables": "Deep Sets of tables",
    "jedi-linear": "JEDI-linear",
}
HEAD = ["design", "N", "inputs", "weights", "AUC", "rejection at 30%", "LUT", "FF", "DSP", "cycles", "ns"]


def page(rows: Sequence[Row]) -> str:
    """The page in Markdown: a table for each tagger, and one of the comparisons between executors."""
    parts = [
        "# Rivals",
        "`nanopelican rivals` ([docs/rivals.md](../docs/rivals.md)). Figures are those of the integer networks on the "
        "test jets, with statistical errors where the card has them. Cells: alkaid and Yosys, before placement, a jet "
        "every cycle; LUT includes shift registers. Cycles follow alkaid's delay model. Values: `rivals.json`.",
    ]
    for tagger, title in TITLES.items():
        found = [row for row in rows if row.tagger == tagger]
        if found:
            parts += [f"## {title}", table(HEAD, [_cells(row) for row in found])]
    compared = [row for row in rows if row.mismatches]
    if compared:
        parts += ["## Comparison of executors", table(["design", "executors", "jets", "mismatches"], _proofs(compared))]
    return "\n\n".join(parts) + "\n"


def _cells(row: Row) -> list[Any]:
    return [
        row.name,
        row.n_constituents,
        row.inputs,
        "" if row.parameters is None else row.parameters,
        with_error(row.figures, "auc"),
        with_error(row.figures, "rejection_30"),
        *(f"{count:,}" for count in (row.lut, row.ff, row.dsp)),
        row.latency_cycles,
        f"{row.latency_cycles * row.clock_period_ns:.1f}",
    ]


def _proofs(rows: Sequence[Row]) -> list[list[Any]]:
    return [
        [row.name, pair, f"{events:,}", different]
        for row in rows
        for pair, (events, different) in row.mismatches.items()
    ]


def picture(rows: Sequence[Row]) -> bytes:
    """AUC and rejection against LUT (requires matplotlib, extra ``pictures``); DSPs are written beside the points.

    Hollow points do not see n_jet, as all others do; their DSPs are on the page.
    """
    from matplotlib.figure import Figure

    from nanopelican_hls.training.pictures import png

    figure = Figure(figsize=(8, 8), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    for axes, (name, label) in zip(panels, _QUANTITIES.items(), strict=True):
        for row in rows:
            where, error = (row.lut, row.figures[name]), row.figures.get(f"{name}_error")
            colour, marker = _COLOURS[row.tagger], _MARKERS.get(row.n_constituents, "*")
            face = None if _counted(row) else "none"
            axes.errorbar(*where, yerr=error, capsize=2, color=colour, marker=marker, markerfacecolor=face)
            if row.dsp and _counted(row):
                text = f"{row.dsp} DSP"
                axes.annotate(text, where, fontsize="small", xytext=(6, -3), textcoords="offset points")
        axes.set_xscale("log")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3, which="both")
    figure.legend(handles=_keys(rows), loc="outside upper center", ncols=6, fontsize="small")
    luts = [row.lut for row in rows]
    panels[0].set_xlim(min(luts) / 1.3, max(luts) * 1.5)  # room for the number of DSPs
    panels[-1].set_xlabel("LUT, mapped by Yosys, a jet every cycle")
    return png(figure)


def _keys(rows: Sequence[Row]) -> list[Any]:
    """The legend: colours of taggers, markers of sizes."""
    from matplotlib.lines import Line2D

    def key(label: str, color: str = "0.4", marker: str = "o", face: str | None = None) -> Line2D:
        return Line2D([], [], color=color, marker=marker, markerfacecolor=face, linestyle="", label=label)

    present = {row.tagger for row in rows}
    taggers = [key(TITLES[tagger], color=colour) for tagger, colour in _COLOURS.items() if tagger in present]
    sizes = sorted({row.n_constituents for row in rows})
    markers = [key(f"N = {n}", marker=_MARKERS.get(n, "*")) for n in sizes]
    return taggers + markers + [key("without n_jet", face="none")] * (not all(map(_counted, rows)))


def _counted(row: Row) -> bool:
    return "n_jet" in row.inputs


_QUANTITIES: Mapping[str, str] = {"auc": "AUC", "rejection_30": "background rejection at 30% signal efficiency"}
_COLOURS: Mapping[str, str] = {OURS: "C0", "deep-sets": "C1", "deep-sets-tables": "C3", "jedi-linear": "C2"}
_MARKERS: Mapping[int, str] = {6: "v", 8: "o", 12: "P", 16: "s", 20: "X", 24: "<", 32: "D"}

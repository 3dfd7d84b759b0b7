"""The page of the ring benchmark: a table, published taggers beside it, and pictures."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nanopelican_hls.benchmarks.ring import LARGE, LARGE_EVENTS
from nanopelican_hls.markdown import table

Row = Mapping[str, Any]
Style = Mapping[str, Any]
TITLES = {"c": "(c), C = 4, jet"}
#: pieces that are listed for a row, those with the most LUTs
SHOWN_PIECES = 10
PUBLISHED = Path(__file__).with_name("published.json")


def page(rows: Sequence[Row]) -> str:
    """All rows as Markdown."""
    wrong = sum(row["rtl_vs_qonnx"]["mismatches"] for row in rows)
    events = sum(row["rtl_vs_qonnx"]["events"] for row in rows)
    head = [
        *(
            "network",
            "N",
            "C",
            "products",
            "constituents",
            "interval",
            "cycles",
            "ns",
            "LUT",
            "FF",
            "DSP",
            "AUC",
            "rejection at 30%",
        ),
        *("s", "MB"),
    ]
    return "\n".join(
        [
            "# Hardware at a trigger's rate",
            "",
            "Written by `nanopelican bench-ring`. Cells of an xcvu13p as mapped by Yosys, not placed; ns are cycles of "
            "2.7777 ns, whose logic is limited by the tracer's delay model. The interval is the one that the hardware "
            "keeps; the constituents of an event come all at once, or streamed over the cycles of an interval, from "
            "the first of which the latency is counted. AUC and rejection are those of the quantised network on test "
            f"jets; networks without them have random weights. (c) is the form of benchmarks/synthesis.md. {wrong} of "
            f"{events:,} simulated events differ from QONNX execution: for each row 20,000 hostile events, and 10,000 "
            f"jets, but {LARGE_EVENTS} from {LARGE} constituents on. Time (s) and memory (MB) are of all steps of a "
            "row, beside other jobs.",
            "",
            table(head, [_cells(row) for row in rows]),
            "",
            _estimated(rows),
            "",
            "![LUT against the interval](ring.png)",
            "",
            "![LUT against AUC](ring-auc.png)",
            "",
            *_by_piece(rows),
            "",
            *_published(),
            "",
        ]
    )


def _by_piece(rows: Sequence[Row]) -> list[str]:
    """What the LUTs are of each row whose constituents come at once."""
    found = []
    for row in rows:
        if row["streamed"]:
            continue
        luts = {name: piece["lut"] for name, piece in row["pieces"].items()}
        most = sorted(luts, key=lambda name: -luts[name])[:SHOWN_PIECES]
        others = sum(luts.values()) - sum(luts[name] for name in most)
        text = ", ".join(f"{name} {luts[name]:,}" for name in most)
        head = (TITLES.get(row["network"], row["network"]), row["n_constituents"], row["products"])
        found.append([*head, row["initiation_interval"], f"{row['lut']:,}", f"{text}, others {others:,}"])
    return [
        "## LUTs by piece",
        "",
        "All instances of a piece ([docs/rtl.md](../docs/rtl.md#pieces)) together; constituents at once.",
        "",
        table(["network", "N", "products", "interval", "LUT", "of which"], found),
    ]


def _published() -> list[str]:
    """Other taggers, as published."""
    content = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    sizes = ["8", "16", "32", "64", "128"]

    def cell(found: Sequence[int] | None) -> str:
        return "" if found is None else f"{found[0]:,}, {found[1]}"

    rows = [
        [row["tagger"], row["source"], row["interval"], row["dsp"] or "", *(cell(row["sizes"].get(n)) for n in sizes)]
        for row in content["rows"]
    ]
    return [
        "## Published taggers: LUT, ns",
        "",
        f"Of other tools and stages than the rows above, which are mapped and not placed: {content['what']}.",
        "",
        table(["tagger", "source", "interval", "DSP, about", *(f"N = {n}" for n in sizes)], rows),
    ]


def _estimated(rows: Sequence[Row]) -> str:
    """How far `nanopelican estimate` is from the rows with an interval above 1; none of them is in its fit."""
    from nanopelican_hls.estimate.estimate import Calibration, parse_counts

    shared = [row for row in rows if row["initiation_interval"] > 1]
    if not shared:
        return "No row has an interval above 1."
    calibration, texts = Calibration.read(), []
    counts = [parse_counts(row["counts"], row["name"]) for row in shared]
    for resource in ("lut", "ff"):
        found = zip(shared, counts, strict=True)
        errors = [100 * abs(calibration.predict(resource, c) / row[resource] - 1) for row, c in found]
        texts.append(
            f"{resource.upper()} by {sum(errors) / len(errors):.1f}% on average and {max(errors):.1f}% at most"
        )
    exact = [
        sum(row[of] == getattr(c, counted) for row, c in zip(shared, counts, strict=True))
        for of, counted in (("dsp", "dsp"), ("latency_cycles", "cycles"))
    ]
    return (
        f"`nanopelican estimate`, in whose fit none of these rows is, misses the {len(shared)} rows with an interval "
        f"above 1 in {' and '.join(texts)}; its DSPs are right in {exact[0]} of them, its cycles in {exact[1]}."
    )


def _cells(row: Row) -> list[Any]:
    figures = row["figures"]
    auc, rejection = figures.get("auc"), figures.get("rejection_30")
    return [
        TITLES.get(row["network"], row["network"]),
        *(row[name] for name in ("n_constituents", "channels", "products")),
        "streamed" if row["streamed"] else "at once",
        *(row[name] for name in ("initiation_interval", "latency_cycles")),
        f"{row['latency_ns']:.1f}",
        *(f"{row[name]:,}" for name in ("lut", "ff", "dsp")),
        "" if auc is None else f"{auc:.4f}",
        "" if rejection is None else f"{rejection:.0f}",
        f"{row['seconds']:.0f}",
        f"{row['peak_memory_mb']:,}",
    ]


def pictures(rows: Sequence[Row]) -> dict[str, bytes]:
    """PNG files by name: LUTs against the interval, and against AUC."""
    return {"ring.png": _picture(rows, _against_interval), "ring-auc.png": _picture(rows, _against_auc)}


def _picture(rows: Sequence[Row], draw: Callable[[Any, Sequence[Row], Style], None]) -> bytes:
    """Two panels, products in DSPs and in LUTs, with the legend of both beside them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    at_once = [row for row in rows if not row["streamed"]]
    for k, (network, size) in enumerate(dict.fromkeys((row["network"], row["n_constituents"]) for row in at_once)):
        is_form = network in TITLES
        style = {"color": f"C{k}", "marker": "o" if is_form else "s", "linestyle": "-" if is_form else "--"}
        style["label"] = f"(c) N = {size}" if is_form else network
        own = [row for row in at_once if (row["network"], row["n_constituents"]) == (network, size)]
        for ax, products in zip(axes, ("dsp", "fabric"), strict=True):
            draw(ax, [row for row in own if row["products"] == products], style)
    for ax, title in zip(axes, ("products in DSPs", "products in LUTs"), strict=True):
        ax.set(title=title, yscale="log")
        ax.grid(alpha=0.3, which="both")
    axes[0].set_ylabel("LUT as mapped by Yosys")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize="small")
    found = io.BytesIO()
    figure.savefig(found, format="png", dpi=150)
    return found.getvalue()


def _against_interval(ax: Any, rows: Sequence[Row], style: Style) -> None:
    """The line of a network."""
    line = sorted((row["initiation_interval"], row["lut"]) for row in rows)
    if line:
        ax.plot(*zip(*line, strict=True), markersize=4, **style)
    ax.set_xlabel("initiation interval in clock cycles")
    ax.set_xticks(range(1, 10))


def _against_auc(ax: Any, rows: Sequence[Row], style: Style) -> None:
    """A marker for each row of a network, if it is trained, with its interval."""
    trained = [row for row in rows if row["figures"].get("auc") is not None]
    points = [(row["figures"]["auc"], row["lut"]) for row in trained]
    if points:
        ax.plot(*zip(*points, strict=True), markersize=5, **{**style, "linestyle": ""})
    for row, point in zip(trained, points, strict=True):
        ax.annotate(f"  {row['initiation_interval']}", point, fontsize="x-small", va="center")
    ax.set_xlabel("AUC, quantised (numbers: interval)")

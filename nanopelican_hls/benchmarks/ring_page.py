"""The page of the ring benchmark: a table, and a picture of LUTs against the interval."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from nanopelican_hls.markdown import table

Row = Mapping[str, Any]
TITLES = {"c": "(c), C = 4, jet"}


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
            f"jets; networks without them have random weights. {wrong} of {events:,} simulated events differ from "
            "QONNX execution.",
            "",
            table(head, [_cells(row) for row in rows]),
            "",
            _estimated(rows),
            "",
            "![LUT against the interval](ring.png)",
            "",
        ]
    )


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


def picture(rows: Sequence[Row]) -> bytes:
    """LUTs against the interval, a line for each size, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, products in zip(axes, ("dsp", "fabric"), strict=True):
        for network in dict.fromkeys(row["network"] for row in rows):
            own = [
                row for row in rows if row["network"] == network and row["products"] == products and not row["streamed"]
            ]
            for size in dict.fromkeys(row["n_constituents"] for row in own):
                line = sorted((r["initiation_interval"], r["lut"]) for r in own if r["n_constituents"] == size)
                is_form = network in TITLES
                label = f"(c) N = {size}" if is_form else network
                ax.plot(*zip(*line, strict=True), "o-" if is_form else "s--", label=label, markersize=4)
        ax.set(
            title=f"products in {'DSPs' if products == 'dsp' else 'LUTs'}",
            xlabel="initiation interval in clock cycles",
            yscale="log",
        )
        ax.set_xticks(range(1, 10))
        ax.grid(alpha=0.3, which="both")
    axes[0].set_ylabel("LUT as mapped by Yosys")
    axes[1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")
    found = io.BytesIO()
    figure.savefig(found, format="png", dpi=150)
    return found.getvalue()

"""The waveforms of a core's test bench as an SVG picture (requires matplotlib, extra ``pictures``)."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

#: signals of one bit, and buses with the flag that says when they hold something
ROWS: Sequence[tuple[str, str | None]] = (
    ("aclk", None),
    ("s_axis_tvalid", None),
    ("s_axis_tlast", None),
    ("s_axis_tdata", "s_axis_tvalid"),
    ("start", None),
    ("valid", None),
    ("m_axis_tvalid", None),
    ("m_axis_tdata", "m_axis_tvalid"),
)
HIGH = 0.6


def waveform(record: Mapping[str, Any]) -> bytes:
    """Picture of the record that the test bench writes (``waveform.json``): three events, in a row for each signal."""
    first = next(k for k, now in enumerate(record["cycles"]) if now["s_axis_tvalid"])
    cycles = record["cycles"][max(0, first - 1) :]
    figure = Figure(figsize=(max(8.0, 2.2 + 0.25 * len(cycles)), 4.4), layout="constrained")
    axes = figure.subplots()
    for row, (name, flag) in enumerate(ROWS):
        base = -float(row)
        if name == "aclk":
            _bits(axes, [1, 0] * len(cycles), base, 0.5)
        elif flag is None:
            _bits(axes, [now[name] for now in cycles], base, 1.0)
        else:
            _boxes(axes, _contents(cycles, flag, name), base)
    _arrows(axes, cycles, -float(len(ROWS)))
    axes.set_yticks([HIGH / 2 - row for row in range(len(ROWS))], [name for name, _ in ROWS], family="monospace")
    axes.tick_params(axis="y", length=0)
    axes.set_xticks(range(0, len(cycles), 5))
    axes.set_xlabel("cycle")
    axes.set_xlim(-0.2, len(cycles) + 0.2)
    axes.set_ylim(-len(ROWS) - 1.1, 1.0)
    axes.grid(axis="x", alpha=0.3)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_title(
        f"{record['core']}: three events; words numbered, results in hexadecimal", loc="left", fontsize="medium"
    )
    return _svg(figure)


def _bits(axes: Axes, values: Sequence[int], base: float, width: float) -> None:
    axes.step(
        [k * width for k in range(len(values) + 1)],
        [base + HIGH * value for value in [*values, values[-1]]],
        where="post",
        color="0.15",
        linewidth=1.0,
    )


def _contents(cycles: Sequence[Mapping[str, int]], flag: str, name: str) -> list[tuple[int, int, str]]:
    """Cycle, event and label of what a bus holds: the number of the word in its event, or the result."""
    found, event, word = [], 0, 0
    for cycle, now in enumerate(cycles):
        if now[flag]:
            is_word = name == "s_axis_tdata"
            found.append((cycle, event, str(word) if is_word else f"{now[name]:x}"))
            ends = now["s_axis_tlast"] if is_word else 1
            event, word = event + ends, 0 if ends else word + 1
    return found


def _boxes(axes: Axes, contents: Sequence[tuple[int, int, str]], base: float) -> None:
    for cycle, event, label in contents:
        axes.add_patch(Rectangle((cycle, base), 1, HIGH, facecolor=f"C{event}", alpha=0.35, edgecolor="0.15"))
        axes.text(cycle + 0.5, base + HIGH / 2, label, ha="center", va="center", fontsize=9 if len(label) < 4 else 6)


def _arrows(axes: Axes, cycles: Sequence[Mapping[str, int]], base: float) -> None:
    """From the first event's last word to its result."""
    last = next(k for k, now in enumerate(cycles) if now["s_axis_tvalid"] and now["s_axis_tlast"])
    result = next(k for k, now in enumerate(cycles) if now["m_axis_tvalid"])
    axes.annotate("", (result, base), (last, base), arrowprops={"arrowstyle": "<->", "color": "C0", "shrinkA": 0})
    axes.text((last + result) / 2, base - 0.15, f"latency: {result - last} cycles", ha="center", va="top", color="C0")
    for cycle, row in ((last, 3), (result, len(ROWS) - 1)):
        axes.plot([cycle, cycle], [base, -row], color="C0", linewidth=0.8, linestyle=":")


def _svg(figure: Figure) -> bytes:
    """The same bytes for the same picture."""
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "nanopelican"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()

"""Pictures of a report as SVG, by matplotlib in the style that mplhep has for CMS (extra ``report``)."""

from __future__ import annotations

import functools
import io
import math
import re
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator, StrMethodFormatter

from nanopelican_hls.report.content import Panel, Picture, Series
from nanopelican_hls.report.palette import GRID, INK, ROLES

#: inches
WIDTH, HEIGHT, LOWER, LEGEND_ROW = 5.2, 3.5, 1.6, 0.19
#: above the style of mplhep, which is for a page of its own
OVERRIDES: dict[str, Any] = {
    "font.size": 10,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "axes.linewidth": 0.9,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "xtick.major.size": 5,
    "ytick.major.size": 5,
    "xtick.minor.size": 2.5,
    "ytick.minor.size": 2.5,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "savefig.bbox": None,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": GRID,
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "nanopelican",
}


@functools.cache  # for the page, and as a file of its own
def draw(picture: Picture) -> str:
    """A picture as an SVG file; the same for the same picture."""
    import mplhep

    style: Any = {**_supported(mplhep.style.CMS), **OVERRIDES}
    with matplotlib.rc_context(style):
        labels, columns = _legend(picture)
        rows = -(-len(labels) // columns)
        height = HEIGHT + LOWER * (len(picture.panels) - 1) + LEGEND_ROW * max(0, rows - 2)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        ratios = [1.6, *[1.0] * (len(picture.panels) - 1)]
        places = figure.subplots(len(picture.panels), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
        for axes, panel in zip(places, picture.panels, strict=True):
            _draw_panel(axes, panel, picture)
        places[-1].set_xlabel(picture.label, loc="right")
        handles: dict[str, Any] = {}
        for axes in places:
            found, names = axes.get_legend_handles_labels()
            handles |= dict(zip(names, found, strict=True))
        if labels:
            shown = [handles[label] for label in labels]
            # above the panels, so that it covers nothing
            figure.legend(shown, labels, loc="outside upper left", ncols=columns, columnspacing=1.2)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _supported(style: Any) -> dict[str, Any]:
    """A style without what this matplotlib does not know."""
    return {key: value for key, value in style.items() if key in matplotlib.rcParams}


def _draw_panel(axes: Any, panel: Panel, picture: Picture) -> None:
    for series in panel.series:
        if series.x:
            _draw_series(axes, series)
    axes.set_ylabel(panel.label, loc="top")
    axes.grid(visible=True, which="major", lw=0.5)
    axes.set_axisbelow(True)
    if panel.log:
        _logarithmic(axes, [y for series in panel.series for y in series.y if y > 0])
    if panel.limits:
        axes.set_ylim(*panel.limits)
    elif not panel.log and all(min(series.y, default=0) >= 0 for series in panel.series):
        axes.set_ylim(bottom=0)
    if picture.log:
        axes.set_xscale("log")
    if picture.limits:
        axes.set_xlim(*picture.limits)
    if picture.ticks:
        axes.xaxis.set_major_locator(FixedLocator(list(picture.ticks)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _draw_series(axes: Any, series: Series) -> None:
    colour, _ = ROLES[series.role]
    style: dict[str, Any] = {"color": colour, "ls": "--" if series.dashed else "-"}
    label = series.label or "_nolegend_"
    if series.style == "band":
        axes.fill_between(series.x, series.y, series.high, color=colour, alpha=0.2, lw=0)
    elif series.style == "steps":
        axes.stairs(series.y, series.x, label=label, lw=1.6, **style)
        middle = [(low + high) / 2 for low, high in zip(series.x[:-1], series.x[1:], strict=True)]
        if series.error:
            axes.errorbar(middle, series.y, yerr=series.error, fmt="none", color=colour, elinewidth=0.9)
    elif series.style == "points":
        axes.errorbar(
            *(series.x, series.y),
            yerr=series.error or None,
            xerr=series.x_error or None,
            fmt="o",
            color=colour,
            markerfacecolor="none" if series.dashed else colour,
            elinewidth=1.0,
            markersize=4 if series.error else 7,
            zorder=3,  # not below the lines of others
            label=label,
        )
    else:
        few = len(series.x) <= 12
        axes.plot(series.x, series.y, label=label, marker="o" if few else "", markersize=3.5, **style)
        if series.error:
            low = [y - e for y, e in zip(series.y, series.error, strict=True)]
            high = [y + e for y, e in zip(series.y, series.error, strict=True)]
            axes.fill_between(series.x, low, high, color=colour, alpha=0.18, lw=0)


def _logarithmic(axes: Any, values: list[float]) -> None:
    """A logarithmic y axis about the values, whatever their errors, with numbers written out."""
    if not values:
        return
    low, high = min(values) / 1.8, max(values) * 1.8
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    decades = math.log10(high / low)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0,) if decades > 2.5 else (1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,.0f}" if y >= 1 else f"{y:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _legend(picture: Picture) -> tuple[list[str], int]:
    """Labels in order of the series, and the number of columns in which they fit."""
    found = [series.label for panel in picture.panels if panel.legend for series in panel.series if series.x]
    labels = list(dict.fromkeys(filter(None, found)))
    longest = max(map(len, labels), default=0)
    return labels, 1 if longest > 34 else 2 if longest > 17 or len(labels) == 4 else 3


def inline(svg: str, key: str, title: str, description: str) -> str:
    """An SVG file as part of a page: with its text alternative, colours of the page, and names that are its own."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r' xmlns:xlink="[^"]*"', "", body).replace("xlink:href", "href")
    body = re.sub(r'\bid="([^"]+)"', rf'id="{key}-\1"', body)
    body = re.sub(r'href="#([^"]+)"', rf'href="#{key}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{key}-\1)", body)
    for role, (light, _) in ROLES.items():
        body = body.replace(light, f"var(--{role})")
    body = body.replace(INK, "currentColor").replace(GRID, "var(--grid)")
    size = re.search(r'viewBox="([^"]+)"', body)
    head = (
        f'<svg viewBox="{size[1] if size else "0 0 1 1"}" role="img" aria-labelledby="{key}-title {key}-description">'
        f'<title id="{key}-title">{title}</title><desc id="{key}-description">{description}</desc>'
    )
    return head + body[body.index(">") + 1 :].rstrip()

"""Pictures of a report as SVG, by matplotlib in the style that mplhep has for CMS (extra ``report``)."""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, StrMethodFormatter

from nanopelican_hls.report.content import Panel, Picture, Series
from nanopelican_hls.report.palette import GRID, INK, ROLES

#: inches
WIDTH, HEIGHT, LOWER = 5.2, 3.5, 1.5
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


def draw(picture: Picture) -> str:
    """A picture as an SVG file; the same for the same picture."""
    import mplhep

    with matplotlib.rc_context({**_supported(mplhep.style.CMS), **OVERRIDES}):
        several = len(picture.panels) > 1
        figure = Figure(figsize=(WIDTH, HEIGHT + LOWER * several), layout="constrained")
        ratios = [2.0, *[1.25] * (len(picture.panels) - 1)]
        places = figure.subplots(len(picture.panels), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
        for axes, panel in zip(places, picture.panels, strict=True):
            _draw_panel(axes, panel, picture)
        places[-1].set_xlabel(picture.label, loc="right")
        _legend(figure, places, picture)
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
        axes.set_yscale("log")
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
            elinewidth=1.0,
            label=label,
        )
    else:
        few = len(series.x) <= 12  # noqa: PLR2004, then every point is shown
        axes.plot(series.x, series.y, label=label, marker="o" if few else "", markersize=3.5, **style)
        if series.error:
            low = [y - e for y, e in zip(series.y, series.error, strict=True)]
            high = [y + e for y, e in zip(series.y, series.error, strict=True)]
            axes.fill_between(series.x, low, high, color=colour, alpha=0.18, lw=0)


def _legend(figure: Any, places: Any, picture: Picture) -> None:
    """Above the panels, so that it covers nothing."""
    handles: dict[str, Any] = {}
    for axes, panel in zip(places, picture.panels, strict=True):
        if panel.legend:
            found, labels = axes.get_legend_handles_labels()
            handles |= dict(zip(labels, found, strict=True))
    if handles:
        longest = max(map(len, handles))
        columns = 1 if longest > 34 else 2 if longest > 17 or len(handles) == 4 else 3  # noqa: PLR2004
        figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=columns, columnspacing=1.2)


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

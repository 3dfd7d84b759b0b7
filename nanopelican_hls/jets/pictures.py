"""Plots of a jet sample on one page: what the network and its quantisers will see."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.extras import require
from nanopelican_hls.files import written_whole
from nanopelican_hls.jets.histograms import EDGES, ClassHistograms, smallest_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf")
#: two colour-blind-safe hues (Okabe and Ito), and grey for unlabelled jets
COLOURS = {"signal": "#0072B2", "background": "#D55E00", "all jets": "#555555"}
#: more of them, for classes with names of their own
CLASS_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.hashsalt": "nanopelican",
}
#: clipped fractions below this are not drawn
SMALLEST_SHARE = 1e-5


def draw_jets(
    classes: Mapping[str, ClassHistograms], title: str, *, n_constituents: int, bits: int | None = None
) -> Figure:
    """Plot multiplicity, jet mass, constituent pT and the widths needed by the products d_ij, per class.

    Parameters
    ----------
    classes : mapping of str to ClassHistograms
        From `histograms.fill`.
    title : str
        Title of the figure.
    n_constituents : int
        Number of constituents with which the products were filled, for the title of their plot.
    bits : int, optional
        Width, in bits before the binary point of d_ij / GeV^2, for which the clipped fraction is quoted; by default the
        smallest that clips at most one product in a thousand.

    Raises
    ------
    JetsError
        If matplotlib is not installed, or no jet has constituents.
    """
    require("matplotlib", "a picture", JetsError)
    import matplotlib
    import matplotlib.figure

    if not _total(classes, "pt_gev").any():
        raise JetsError("no jet has constituents", where=title, remedy="choose a file with constituents")
    with matplotlib.rc_context(STYLE):
        figure: Figure = matplotlib.figure.Figure(figsize=(10.0, 6.2), layout="constrained")
        grid = figure.add_gridspec(2, 6)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        _draw_multiplicity(figure.add_subplot(grid[0, :2]), classes)
        _draw_mass(figure.add_subplot(grid[0, 2:4]), classes)
        _draw_pt(figure.add_subplot(grid[0, 4:]), classes)
        _draw_products(figure.add_subplot(grid[1, :3]), classes, n_constituents)
        _draw_clipped(
            figure.add_subplot(grid[1, 3:]), classes, smallest_width(classes.values()) if bits is None else bits
        )
    return figure


def save_picture(figure: Figure, path: str | Path, *, force: bool = False) -> None:
    """Write a figure atomically, as PNG or PDF by the suffix of ``path``.

    Raises
    ------
    JetsError
        If the suffix is neither, the file exists and ``force`` is False, or it cannot be written.
    """
    path = Path(path)
    check_destination(path, force=force)
    # no date, so that equal jets produce equal bytes
    metadata = {"CreationDate": None} if path.suffix == ".pdf" else None
    with written_whole(path, JetsError) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=100, metadata=metadata)


def check_destination(path: Path, *, force: bool) -> None:
    """Raise the errors of `save_picture` about its destination, before any jets are read."""
    if path.suffix not in FORMATS:
        raise JetsError(
            f"a picture cannot be written as {path.suffix or 'a file without suffix'}",
            where=str(path),
            remedy=f"name it {' or '.join(path.stem + suffix for suffix in FORMATS)}",
        )
    if path.exists() and not force:
        raise JetsError(
            "already exists", where=str(path), remedy="name another with --output, or replace it with --force"
        )


def _draw_multiplicity(axes: Any, classes: Mapping[str, ClassHistograms]) -> None:
    _draw_shares(axes, classes, "multiplicity", digits=1)
    axes.set(title="Constituents per jet", xlabel="multiplicity, before any cut", ylabel="share of jets")


def _draw_mass(axes: Any, classes: Mapping[str, ClassHistograms]) -> None:
    _draw_shares(axes, classes, "mass_gev", digits=0, unit=" GeV")
    axes.set(title="Jet mass", xlabel="mass, GeV", ylabel="share of jets per 4 GeV")


def _draw_shares(axes: Any, classes: Mapping[str, ClassHistograms], name: str, *, digits: int, unit: str = "") -> None:
    for label, histograms in classes.items():
        share = histograms.counts[name] / histograms.jets
        _step(
            axes, share, EDGES[name], _colour(classes, label), f"{label}, mean {histograms.mean(name):.{digits}f}{unit}"
        )
    total = _total(classes, name)
    used = np.flatnonzero(np.cumsum(total) <= 0.997 * total.sum())
    axes.set_xlim(0, EDGES[name][min(used.max(initial=0) + 2, len(total))])
    _leave_room(axes, 1.35)
    axes.legend(loc="upper right")


def _draw_pt(axes: Any, classes: Mapping[str, ClassHistograms]) -> None:
    edges = EDGES["pt_gev"]
    for label, histograms in classes.items():
        _step(axes, histograms.counts["pt_gev"] / histograms.jets, edges, _colour(classes, label), label)
    axes.set(
        xscale="log", yscale="log", title="Constituent pT", xlabel="pT, GeV", ylabel="constituents per jet and bin"
    )
    _limit_to_filled(axes, _total(classes, "pt_gev"), edges)
    axes.set_ylim(top=20 * axes.dataLim.ymax)
    axes.legend(loc="upper right")


def _draw_products(axes: Any, classes: Mapping[str, ClassHistograms], n_constituents: int) -> None:
    edges = EDGES["d_bits"]
    for label, histograms in classes.items():
        counts = histograms.counts["d_bits"]
        _step(axes, counts / max(counts.sum(), 1), edges, _colour(classes, label), label)
    axes.set(
        title=f"Products $d_{{ij}}$ of the leading {n_constituents} constituents",
        xlabel=r"$\log_2(d_{ij}$ / GeV²$)$; rounded up: bits needed before the binary point",
        ylabel="share of pairs per quarter bit",
    )
    _leave_room(axes, 1.1)
    _limit_to_filled(axes, _total(classes, "d_bits"), edges)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="upper left")


def _draw_clipped(axes: Any, classes: Mapping[str, ClassHistograms], bits: int) -> None:
    for label, histograms in classes.items():
        edges, share = histograms.share_clipped()
        at = histograms.share_clipped_at(bits)
        axes.plot(
            edges,
            np.maximum(share, SMALLEST_SHARE / 10),
            color=_colour(classes, label),
            lw=1.6,
            label=f"{label}: {_percent(at)} clipped at {bits} bits",
        )
    axes.axvline(bits, color="black", lw=0.9, ls="--")
    axes.set(
        yscale="log",
        ylim=(SMALLEST_SHARE, 1.5),
        title="What a width clips",
        xlabel=r"bits before the binary point of $d_{ij}$ / GeV²",
        ylabel="share of pairs clipped",
    )
    drawn = np.flatnonzero(np.max([h.share_clipped()[1] for h in classes.values()], axis=0) >= SMALLEST_SHARE)
    axes.set_xlim(min(0, bits), max(EDGES["d_bits"][drawn.max(initial=0)], bits) + 1)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="lower left", frameon=True, framealpha=1, edgecolor="none")


def _leave_room(axes: Any, factor: float) -> None:
    """Scale the y axis from 0 to above the highest bin, to make room for the legend."""
    axes.set_ylim(0, factor * (axes.dataLim.ymax or 1))


def _step(axes: Any, values: NDArray[np.float64], edges: NDArray[np.float64], colour: str, legend: str) -> None:
    """Histogram drawn as an outline over a light fill."""
    axes.stairs(values, edges, color=colour, alpha=0.12, fill=True)
    axes.stairs(values, edges, color=colour, lw=1.6, label=legend)


def _colour(classes: Mapping[str, ClassHistograms], label: str) -> str:
    return COLOURS.get(label) or CLASS_COLOURS[list(classes).index(label) % len(CLASS_COLOURS)]


def _total(classes: Mapping[str, ClassHistograms], name: str) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.sum([histograms.counts[name] for histograms in classes.values()], axis=0)
    return total


def _limit_to_filled(axes: Any, total: NDArray[np.int64], edges: NDArray[np.float64]) -> None:
    """Limit the x axis to all but the lowest 0.4% and highest 0.1% of entries, not counting the first bin."""
    if not total[1:].any():
        return
    share = np.cumsum(total[1:]) / total[1:].sum()
    first, last = np.searchsorted(share, [0.004, 0.999])
    axes.set_xlim(edges[first + 1], edges[min(last + 3, len(total))])


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%" if share else "nothing"

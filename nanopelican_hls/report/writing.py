"""Writes a report: report.html, report.md with its pictures, and report.json."""

from __future__ import annotations

import json
from pathlib import Path

from nanopelican_hls.errors import ReportError
from nanopelican_hls.extras import require
from nanopelican_hls.files import make_folder, write_atomically
from nanopelican_hls.report.content import Picture, Report

#: folder of the pictures of report.md
PICTURES = "report"
#: what a report needs beyond the package
PACKAGES = ("jinja2", "matplotlib", "mplhep")


def require_packages() -> None:
    """A `ReportError` that names the extra, if it is not installed."""
    for package in PACKAGES:
        require(package, "the report", ReportError)


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write all renderings, and return the paths of the pages."""
    from nanopelican_hls.report.drawing import draw
    from nanopelican_hls.report.html import html
    from nanopelican_hls.report.markdown import markdown

    # nothing is written before all is drawn: the pages of an older report must not show new pictures
    drawn = {
        f"{PICTURES}/{block.key}.svg": draw(block)
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Picture)
    }
    pages = {
        "report.html": html(report),
        "report.md": markdown(report, PICTURES),
        "report.json": json.dumps(report.as_json(), indent=1, allow_nan=False) + "\n",
    }
    make_folder(folder / PICTURES, ReportError)
    for name, content in (drawn | pages).items():
        write_atomically(folder / name, content, ReportError)
    return [folder / name for name in pages]

"""A report as one HTML file that loads nothing (extra ``report``)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from nanopelican_hls.report import diagram, drawing
from nanopelican_hls.report.content import (
    Block,
    Cell,
    Column,
    Counts,
    Diagram,
    Picture,
    Report,
    Section,
    Table,
    number,
    text,
)
from nanopelican_hls.report.palette import ROLES
from nanopelican_hls.versions import __version__

#: template, style and script
FOLDER = Path(__file__).parent
#: cells with more characters are broken into lines
LONG = 30


def html(report: Report) -> str:
    """The page."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string((FOLDER / "page.html").read_text(encoding="utf-8"))
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    for place, of in (("{{ light }}", 0), ("{{ dark }}", 1)):
        style = style.replace(place, " ".join(f"--{role}: {colours[of]};" for role, colours in ROLES.items()))
    return template.render(
        report=report,
        version=__version__,
        style=style,
        script=(FOLDER / "page.js").read_text(encoding="utf-8"),
        grouped=grouped,
        drawn=drawn,
        is_text=is_text,
        cell_attributes=_attributes,
        shown=_shown,
        summary=_summary,
        prose=_prose,
    )


def grouped(section: Section) -> Iterator[list[Block]]:
    """Blocks one by one, but pictures that follow each other together."""
    group: list[Block] = []
    for block in section.blocks:
        if group and not (isinstance(block, Picture) and isinstance(group[-1], Picture)):
            yield group
            group = []
        group.append(block)
    if group:
        yield group


def drawn(block: Picture | Diagram) -> str:
    """The picture as an SVG element of the page."""
    if isinstance(block, Diagram):
        return diagram.draw(block)
    key = block.key.replace("_", "-")
    return drawing.inline(drawing.draw(block), f"picture-{key}", escape(block.caption), escape(block.alt))


def is_text(table: Table, column: int) -> bool:
    """Whether a column holds text, which stands on the left."""
    cells = [row[column] for row in table.rows]
    return any(isinstance(c, str) for c in cells) and all(isinstance(c, str | None) for c in cells)


def _attributes(table: Table, column: int, cell: Cell, name: bool) -> str:
    value = number(cell)
    if value is not None:
        return f' data-value="{value!r}"'
    size = len(cell) if isinstance(cell, str) else 0
    kind = ("" if name or not is_text(table, column) else "text") + (" long" if size > LONG else "")
    kind = kind.strip() + (" wide" if size > 2 * LONG else "")
    return f' class="{kind}"' if kind else ""


def _shown(cell: Cell, column: Column) -> str:
    return _spark(cell.counts) if isinstance(cell, Counts) else escape(text(cell, column))


def _spark(counts: Sequence[int]) -> str:
    """A histogram with logarithmic heights."""
    most = math.log1p(max(counts)) or 1.0
    path = "".join(f"M{k} 20h1v-{20 * math.log1p(count) / most:.1f}h-1z" for k, count in enumerate(counts) if count)
    filled = sum(map(bool, counts))
    return (
        f'<svg class="spark" viewBox="0 0 {len(counts)} 21" preserveAspectRatio="none" role="img" '
        f'aria-label="histogram: '
        f'{filled} of {len(counts)} bins filled"><path d="{path}"/><line x1="0" x2="{len(counts)}" y1="20.5" y2="20.5" '
        'stroke-width="0.5"/></svg>'
    )


def _prose(written: str) -> str:
    """Text in which backticks mark what is typed."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(written))


def _summary(table: Table) -> str:
    """What a closed table is about."""
    first, _, _ = table.caption.partition(". ")
    return table.short_title() if table.title or len(first) > 110 else first.rstrip(".")

"""A report as Markdown, with its pictures as SVG files beside it."""

from __future__ import annotations

from nanopelican_hls.markdown import table
from nanopelican_hls.report.content import (
    Block,
    Code,
    Diagram,
    Missing,
    Paragraph,
    Picture,
    Report,
    Table,
    text,
)


def markdown(report: Report, pictures: str) -> str:
    """The page; ``pictures`` is the folder of the pictures, relative to it."""
    parts = [
        f"# {report.title}",
        f"Made by `{report.command}`.",
        table(["", "", ""], [[each.title, each.text.replace("\n", " / "), each.note] for each in report.headline]),
    ]
    for section in report.sections:
        parts += [f"## {section.title}", f"*{section.question}*"]
        parts += [_block(block, pictures) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _block(block: Block, pictures: str) -> str:
    if isinstance(block, Paragraph):
        return block.text
    if isinstance(block, Code):
        return f"{block.title}:\n\n```\n{block.text}\n```"
    if isinstance(block, Missing):
        return f"**{block.what}.** Run `{block.command}`."
    if isinstance(block, Picture):
        return f"![{block.alt}]({pictures}/{block.key}.svg)\n\n{block.caption}\n\nFrom `{block.command}`."
    if isinstance(block, Diagram):
        rows = [[_cell(arrow.start), _cell(arrow.end), _cell(arrow.text)] for arrow in block.arrows]
        return f"{block.caption}\n\n{table(['from', 'to', 'tensor'], rows)}\n\nFrom `{block.command}`."
    return _table(block)


def _table(block: Table) -> str:
    head = [f"{each.title} [{each.unit}]" if each.unit else each.title for each in block.columns]
    rows = [[_cell(text(cell, column)) for cell, column in zip(row, block.columns, strict=True)] for row in block.rows]
    return f"{block.caption}\n\n{table(head, rows)}\n\nFrom `{block.command}`."


def _cell(written: str) -> str:
    """Text that does not end a cell."""
    return written.replace("|", "\\|").replace("<", "&lt;")

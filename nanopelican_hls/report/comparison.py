"""Two reports side by side: every entry of their tables that differs, and their curves in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nanopelican_hls.report.content import (
    Block,
    Cell,
    Code,
    Column,
    Figure,
    Missing,
    Panel,
    Paragraph,
    Picture,
    Report,
    Section,
    Series,
    Table,
    number,
    text,
)

#: roles of the curves that belong to the model
OWN = ("quantised", "tight", "any")


def compare(first: Report, second: Report, command: str) -> Report:
    """The report of what differs; the models are named after the first and the second."""
    names = (first.models[0], second.models[0])
    if names[0] == names[1]:
        names = (f"{names[0]} (1)", f"{names[1]} (2)")
    sections = []
    keys = dict.fromkeys(section.key for report in (first, second) for section in report.sections)
    for key in keys:
        one, other = first.section(key), second.section(key)
        if one and other:
            blocks = _blocks(one, other, names, command)
        else:
            blocks = [Paragraph(f"Only {names[0] if one else names[1]} has this section.")]
        told = one or other
        assert told is not None
        sections.append(Section(key, told.title, told.question, tuple(blocks)))
    return Report(
        title=f"{names[0]} and {names[1]}: what differs",
        models=names,
        command=command,
        headline=_headline(first, second, names),
        differs=first.differs or second.differs,
        sections=tuple(sections),
    )


def _headline(first: Report, second: Report, names: Sequence[str]) -> tuple[Figure, ...]:
    others = {figure.title: figure for figure in second.headline}
    return tuple(
        replace(each, text=f"{each.text}\n{others[each.title].text}", note=", ".join(names))
        for each in first.headline
        if each.title in others
    )


def _blocks(one: Section, other: Section, names: tuple[str, str], command: str) -> list[Block]:
    blocks: list[Block] = []
    for name, section in zip(names, (one, other), strict=True):
        blocks += [replace(b, what=f"{name}: {b.what}") for b in section.blocks if isinstance(b, Missing)]
    of_other = {b.key: b for b in other.blocks if isinstance(b, Table | Picture)}
    tables, pictures = [], []
    equal: list[str] = []
    for block in one.blocks:
        found = of_other.get(block.key) if isinstance(block, Table | Picture) else None
        if isinstance(block, Table) and isinstance(found, Table):
            table = _table(block, found, names, command)
            if table.rows:
                tables.append(table)
            else:
                equal.append(_both(block.short_title(), found.short_title(), names))
        elif isinstance(block, Picture) and isinstance(found, Picture):
            picture = _picture(block, found, names, command)
            if picture:
                pictures.append(picture)
    blocks += [*pictures, *tables, *_codes(one, other, names)]
    if equal:
        blocks.append(Paragraph(f"Equal in both: {'; '.join(equal)}."))
    return blocks or [Paragraph("Nothing differs.")]


def _both(one: str, other: str, names: tuple[str, str]) -> str:
    """A text about both: each with its model, if they differ."""
    return one if one == other else f"{one.rstrip('.')} ({names[0]}); {other.rstrip('.')} ({names[1]})"


def _codes(one: Section, other: Section, names: tuple[str, str]) -> list[Block]:
    """Formulas and commands, one below the other."""
    return [
        replace(block, title=f"{name}: {block.title}")
        for name, section in zip(names, (one, other), strict=True)
        for block in section.blocks
        if isinstance(block, Code)
    ]


def _table(one: Table, other: Table, names: tuple[str, str], command: str) -> Table:
    """A row for each entry that differs; rows belong together if they have the same names."""
    rows: list[tuple[Cell, ...]] = []
    of_one, of_other = (_by_name(table) for table in (one, other))
    positions = {column.title: k for k, column in enumerate(other.columns)}
    for name in dict.fromkeys((*of_one, *of_other)):
        a, b = of_one.get(name), of_other.get(name)
        if a is None or b is None:
            rows.append((name, "row", *("-" if row is None else "there" for row in (a, b)), None))
            continue
        for k, column in enumerate(one.columns):
            if k < one.names or not column.compared or column.title not in positions:
                continue
            mine, theirs = a[k], b[positions[column.title]]
            if mine != theirs:
                unit = f" [{column.unit}]" if column.unit else ""
                shown = (text(mine, column), text(theirs, column))
                rows.append((name, column.title + unit, *shown, _difference(mine, theirs)))
    title = f"{_both(one.short_title(), other.short_title(), names)}: entries that differ"
    return Table(
        one.key,
        title,
        (
            Column(one.columns[0].title),
            Column("entry"),
            Column(names[0]),
            Column(names[1]),
            Column("second - first", "+.4g"),
        ),
        tuple(rows),
        command,
        names=1,
        folded=one.folded or len(rows) > 24,
        title=title,
    )


def _by_name(table: Table) -> dict[str, tuple[Cell, ...]]:
    """Rows by their names; equal ones are numbered."""
    found: dict[str, tuple[Cell, ...]] = {}
    for row in table.rows:
        name = ", ".join(str(cell) for cell in row[: table.names])
        if name in found:
            units = [str(cell) for cell, column in zip(row, table.columns, strict=True) if column.title == "unit"]
            name = f"{name}, {units[0] if units else len(found)}"
        found[name] = row
    return found


def _difference(one: Cell, other: Cell) -> float | None:
    a, b = number(one), number(other)
    return None if a is None or b is None else b - a


def _picture(one: Picture, other: Picture, names: tuple[str, str], command: str) -> Picture | None:
    """The curves of both models; None if the picture has none of their own."""
    panels = []
    for mine, theirs in zip(one.panels, other.panels, strict=False):
        series = [
            replace(each, label=label, role=role, dashed=each.dashed and each.style == "points")
            for name, role, panel in zip(names, ("a", "b"), (mine, theirs), strict=True)
            for label, each in _own(name, panel)
        ]
        if series:
            panels.append(Panel(mine.label, tuple(series), mine.log, mine.limits, mine.legend))
    if not panels:
        return None
    alt = f"Curves of {names[0]} and {names[1]}. Of {names[0]}: {one.alt} Of {names[1]}: {other.alt}"
    caption = _both(one.compared or one.caption, other.compared or other.caption, names)
    return replace(one, panels=tuple(panels), caption=caption, alt=alt, command=command)


def _own(name: str, panel: Panel) -> list[tuple[str, Series]]:
    """The curves of a model, with their labels: its name, with what else stands beside it in the report."""
    model = name.partition(" (")[0]
    return [
        (name + each.label.removeprefix(model) if each.label.startswith(f"{model}, ") else name, each)
        for each in panel.series
        if each.role in OWN
    ]

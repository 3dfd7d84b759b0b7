"""What commands put out: tables for people, one JSON document for programs, CSV for files.

Commands print what people read, and hand their figures to `emit`. With ``--json`` the printed text is dropped, and
stdout has the figures as one document; with ``--quiet`` it is dropped too.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import enum
import io
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any


class Table:
    """A table: drawn by rich on a terminal, otherwise plain text in aligned columns.

    Parameters
    ----------
    *columns : str
        Titles; ``>`` in front of one aligns its column to the right.
    caption : str
        A line above the table.
    """

    def __init__(self, *columns: str, caption: str = "") -> None:
        self._titles = [title.removeprefix(">") for title in columns]
        self._right = [title.startswith(">") for title in columns]
        self._caption, self._rows = caption, list[list[str]]()

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, *cells: object) -> None:
        """Add a row, with a cell for each column."""
        self._rows.append([str(cell) for cell in cells])

    def __str__(self) -> str:
        lines = [self._titles, *self._rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = [
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, self._right, strict=True)
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self._caption, *text] if self._caption else text)

    def show(self) -> None:
        """Print it."""
        if not sys.stdout.isatty():
            print(self)
            return
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table as Drawn

        drawn = Drawn(title=escape(self._caption) or None, title_justify="left")
        for title, right in zip(self._titles, self._right, strict=True):
            drawn.add_column(escape(title), justify="right" if right else "left", overflow="fold")
        for row in self._rows:
            drawn.add_row(*map(escape, row))
        Console().print(drawn)


def listing(caption: str, rows: Mapping[str, object]) -> str:
    """Names and values in two columns, below a caption."""
    width = max(map(len, rows))
    return "\n".join([caption, *(f"  {name.ljust(width)}  {value}" for name, value in rows.items())])


def show_listing(caption: str, rows: Mapping[str, object]) -> None:
    """Print a `listing`; on a terminal with the names set apart."""
    if not sys.stdout.isatty():
        print(listing(caption, rows))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Drawn

    drawn = Drawn.grid(padding=(0, 2))
    for name, value in rows.items():
        drawn.add_row(f"  [cyan]{escape(name)}[/]", escape(str(value)))
    console = Console(highlight=False)
    console.print(f"[bold]{escape(caption)}[/]")
    console.print(drawn)


def show_markdown(text: str) -> None:
    """Print a page of Markdown, set by rich on a terminal."""
    if not sys.stdout.isatty():
        print(text.removesuffix("\n"))
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))


def announce(args: argparse.Namespace, message: str) -> None:
    """Say on stderr what is being done, unless --quiet."""
    if not args.quiet:
        print(message, file=sys.stderr, flush=True)


def emit(args: argparse.Namespace, content: Mapping[str, Any]) -> None:
    """Hand over the figures of a command, which are its JSON document."""
    args.document = content


@contextlib.contextmanager
def spoken(args: argparse.Namespace) -> Iterator[None]:
    """Let a command print; with --json nothing but its document reaches stdout, with --quiet nothing."""
    if not (args.json or args.quiet):
        yield
        return
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield
    if args.json:
        print(json.dumps(plain(args.document), indent=2, allow_nan=False))


def plain(value: Any) -> Any:
    """A value as JSON has it: paths and enumerations as text, arrays as lists, numbers that are not finite as null."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if hasattr(value, "tolist"):  # of numpy and torch
        return plain(value.tolist())
    if isinstance(value, Sequence | set | frozenset):
        return [plain(each) for each in value]
    return str(value)


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of equal keys, the first line naming them."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()

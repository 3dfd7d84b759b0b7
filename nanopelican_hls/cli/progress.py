"""Progress of long commands, on stderr: what is done, the rate, and the time left."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator

from nanopelican_hls.processes import raise_swallowed
from nanopelican_hls.progress import Progress

#: seconds between two lines where no bar can be drawn
LINE_EVERY_S = 30.0


class Bar(Progress):
    """What is done of a whole.

    Parameters
    ----------
    title : str
    total : float or None
        The whole, if it is known.
    unit : str
        What is counted, in the plural; the whole is an effort that has no unit if it is empty.
    lines : bool
        Whether to print a line now and then.
    """

    def __init__(self, title: str, total: float | None, unit: str, *, lines: bool) -> None:
        self.title, self.total, self.done = title, total, 0.0
        self._unit, self._lines, self._note, self._skipped = unit, lines, "", 0.0
        self._start = self._line = self._began = time.monotonic()

    def update(self, amount: float = 1) -> None:
        raise_swallowed()
        self.done += amount
        now = time.monotonic()
        if self._lines and now - self._line >= LINE_EVERY_S:
            self._line = now
            print(f"{self.title}: {self}", file=sys.stderr, flush=True)

    def skip(self, amount: float) -> None:
        self._skipped += amount
        self.update(amount)

    def note(self, text: str) -> None:
        self._note = text
        if not self.done:
            self._began = time.monotonic()  # what went before, such as compiling, does not count in the rate

    def __str__(self) -> str:
        now = time.monotonic()
        rate = (self.done - self._skipped) / max(now - self._began, 1e-9)
        words = []
        if self.total:
            words.append(f"{min(1.0, self.done / self.total):.0%}")
        if self._unit:
            of = f" of {self.total:,.0f}" if self.total else ""
            words += [
                f"{self.done:,.0f}{of} {self._unit}",
                f"{rate:,.{0 if rate >= 10 else 2}f} {self._unit}/s",
            ]
        words.append(f"{_clock(now - self._start)} elapsed")
        if self.total and rate:
            words.append(f"{_clock(max(0.0, self.total - self.done) / rate)} left")
        return ", ".join([*words, *filter(None, [self._note])])


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextlib.contextmanager
def progress(args: argparse.Namespace, title: str, total: float | None = None, unit: str = "") -> Iterator[Bar]:
    """Show progress while a block runs: drawn by rich on a terminal, elsewhere a line now and then, or not at all.

    Parameters
    ----------
    args : argparse.Namespace
        With --quiet nothing is shown.
    title, total, unit
        Of the `Bar`.
    """
    drawn = sys.stderr.isatty() and not args.quiet
    bar = Bar(title, total, unit, lines=not (drawn or args.quiet))
    with _drawn(bar) if drawn else contextlib.nullcontext():
        yield bar


@contextlib.contextmanager
def _drawn(bar: Bar) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
    from rich.text import Text

    class State(ProgressColumn):
        def render(self, task: Task) -> Text:
            task.completed, task.total = bar.done, bar.total
            return Text(str(bar))

    columns = (TextColumn("{task.description}", markup=False), BarColumn(20) if bar.total else SpinnerColumn(), State())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, refresh_per_second=4) as shown:
        shown.add_task(bar.title, total=bar.total)
        yield

"""Progress of long work, as the work tells it; `cli.progress` shows it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager


class Progress:
    """What is done of a whole; told to nobody, unless a subclass does."""

    def update(self, amount: float = 1) -> None:
        """So much more is done."""

    def skip(self, amount: float) -> None:
        """So much was done before, or need not be done, and does not count in the rate."""

    def note(self, text: str) -> None:
        """Say what is being done."""


SILENT = Progress()

#: begins a bar, from its title, the whole if it is known, and the unit in the plural; nothing is shown by `silent`
Bars = Callable[[str, float | None, str], AbstractContextManager[Progress]]


@contextlib.contextmanager
def silent(title: str, total: float | None, unit: str) -> Iterator[Progress]:  # noqa: ARG001 - as of `Bars`
    """A bar that is not shown."""
    yield SILENT


class _Part(Progress):
    def __init__(self, whole: Progress, amount: float, total: float) -> None:
        self._whole, self._left, self._scale = whole, amount, amount / max(total, 1)

    def update(self, amount: float = 1) -> None:
        self._whole.update(self._taken(amount * self._scale))

    def skip(self, amount: float) -> None:
        self._whole.skip(self._taken(amount * self._scale))

    def note(self, text: str) -> None:
        self._whole.note(text)

    def _taken(self, amount: float) -> float:
        taken = min(self._left, amount)
        self._left -= taken
        return taken

    def finish(self) -> None:
        self._whole.skip(self._left)


@contextlib.contextmanager
def part_of(whole: Progress, amount: float, total: float) -> Iterator[Progress]:
    """Progress of a part: ``total`` of its units are ``amount`` of the whole, all of which is done in the end."""
    part = _Part(whole, amount, total)
    yield part
    part.finish()

"""Progress, told in parts and by workers."""

from __future__ import annotations

import pytest

from nanopelican_hls.progress import Progress, part_of
from nanopelican_hls.training.side_by_side import side_by_side


class Told(Progress):
    """What has been told."""

    def __init__(self):
        self.done, self.skipped, self.notes = 0.0, 0.0, []

    def update(self, amount=1):
        self.done += amount

    def skip(self, amount):
        self.skipped += amount

    def note(self, text):
        self.notes.append(text)


def test_a_part_counts_in_its_own_units():
    told = Told()
    with part_of(told, 10, 4) as part:
        part.note("first")
        part.skip(1)
        part.update()
        assert (told.done, told.skipped, told.notes) == (2.5, 2.5, ["first"])
    assert (told.done, told.skipped) == (2.5, 7.5)  # what is left need not be done


def test_a_part_is_never_more_than_the_whole():
    told = Told()
    with part_of(told, 1, 2) as part:
        part.update(5)
    with part_of(told, 1, 0):
        pass
    assert (told.done, told.skipped) == (1, 1)


def work(number: int, progress: Progress) -> int:
    progress.skip(10)
    progress.update(number)
    return number


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_workers_do_is_told(jobs):
    told = Told()
    assert dict(side_by_side(work, [(1,), (2,), (3,)], jobs, told)) == {0: 1, 1: 2, 2: 3}
    assert (told.done, told.skipped) == (6, 30)

"""The models of the zoo as parameters of tests."""

from collections.abc import Collection
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.stem for path in (ROOT / "configs").glob("*.yaml"))
#: with so many terms that each of their tests takes minutes
LARGE = {"paper-n80-c10", "paper-n80-n-c10"}


def of_the_zoo(names: Collection[str] = NAMES, but: Collection[str] = ()):
    """Parameters: names, of which the large ones, and others that the suite can do without, are for the long suite."""
    return [pytest.param(name, marks=pytest.mark.long if name in {*LARGE, *but} else [], id=name) for name in names]

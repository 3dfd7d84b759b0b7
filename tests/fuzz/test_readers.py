"""A short slice of `make fuzz`, the same at every run: no crash, hang or traceback, and nothing written or run."""

from __future__ import annotations

import pytest

from .search import TARGETS, Search

#: rounds of 100 cases
FEW = 2
#: with sanitizers, two libraries take half a minute to compile
SLOW = {"common-struct"}


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize(
    "target", [pytest.param(name, marks=pytest.mark.long if name in SLOW else []) for name in TARGETS]
)
def test_no_findings(target):
    search = Search(target)
    search.run(600, most=FEW)
    assert search.findings == {}
    assert search.executions > 50
    assert search.works > 0 and search.refused > 0

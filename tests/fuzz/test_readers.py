"""A short slice of `make fuzz`, the same at every run: no crash, hang or traceback, and nothing written or run."""

from __future__ import annotations

import pytest

from .search import TARGETS, Search

#: rounds of 100 cases
FEW = 2
#: g++'s leak sanitizer reports leaks there; whether they are of the library or of the test is not known
OPEN = {"common-struct"}


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.parametrize("target", [name for name in TARGETS if name not in OPEN])
def test_no_findings(target):
    search = Search(target)
    search.run(600, most=FEW)
    assert search.findings == {}
    assert search.executions > 50
    assert search.works > 0 and search.refused > 0

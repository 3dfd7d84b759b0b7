"""Tests in this folder need the optional extra `rtl`; without it only `test_extra` is collected, which says so."""

from pathlib import Path

import pytest
from rtl_extra import MISSING

if MISSING:
    collect_ignore = [path.name for path in Path(__file__).parent.glob("test_*.py") if path.stem != "test_extra"]


@pytest.fixture(scope="session", autouse=True)
def _seeded():
    """Seed alkaid's random variable names, on which a few of its choices depend."""
    if not MISSING:
        from alkaid.trace import fixed_variable

        fixed_variable.rd.seed(2026)

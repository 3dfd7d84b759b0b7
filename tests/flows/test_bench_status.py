"""The summary of the test bench and its exit status must agree."""

from __future__ import annotations

import pytest

from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.flows.testbench import SCRIPT, BenchResult, run_events_file
from nanopelican_hls.hls.passes import MANIFEST

PASSES, FAILS = "PASS: 50 events, 0 mismatches", "FAIL: 50 events, 3 mismatches"


@pytest.fixture
def bench(tmp_path):
    """A bench that prints a line and ends with a status."""
    (tmp_path / MANIFEST).write_text('{"project": "x"}')

    def run(line, status):
        script = tmp_path / SCRIPT
        script.write_text(f"#!/bin/sh\necho '{line}'\nexit {status}\n")
        script.chmod(0o755)
        return run_events_file(tmp_path)

    return run


def test_both_say_the_same(bench):
    assert bench(PASSES, 0) == BenchResult(50, 0, None)
    assert bench(FAILS, 1) == BenchResult(50, 3, None)


@pytest.mark.parametrize(("line", "status"), [(PASSES, 1), (FAILS, 0), (PASSES, 139), (FAILS, 2), ("", 0), ("", 1)])
def test_they_differ(bench, line, status):
    with pytest.raises(FirmwareError, match=rf"the test bench failed \(exit status {status}\)"):
        bench(line, status)

"""What a report of the C-simulation counts and names, with comparisons made up."""

from __future__ import annotations

import numpy as np
import pytest

from nanopelican_hls.flows.bit_accuracy import CsimReport
from nanopelican_hls.flows.testbench import BenchResult
from nanopelican_hls.proof.comparison import Comparison, Mismatch
from nanopelican_hls.proof.executors import Proof


def proof(**mismatches):
    """A proof on ten jets, by executor the number of mismatches."""
    first = Mismatch("d", 4, (2,), 7, 8, -3)
    comparisons = {
        n: Comparison(10, ("d", "logit"), count, first if count else None) for n, count in mismatches.items()
    }
    return Proof(comparisons, {}, {})


def report(jets, hostile, bench):
    result = BenchResult(10, bench, "event 3, logit[0], expected 1, got 2" if bench else None)
    return CsimReport(None, jets, hostile, None, result, np.zeros(10), None, {}, "")


AGREED = {"brevitas": 0, "csim": 0}


@pytest.mark.parametrize(
    ("jets", "hostile", "bench", "named"),
    [
        ({}, {}, 0, []),
        ({"csim": 2}, {}, 0, ["jets, csim against qonnx: 2 of 10 jets differ, 2 tensors compared; first: tensor 'd'"]),
        ({}, {"brevitas": 3}, 0, ["hostile events, brevitas against qonnx: 3 of 10 jets differ"]),
        ({}, {}, 5, ["test bench against qonnx: first event 3, logit[0], expected 1, got 2"]),
        ({"csim": 1}, {"csim": 1}, 1, ["jets, csim", "hostile events, csim", "test bench"]),
    ],
)  # fmt: skip
def test_every_mismatch_is_counted_and_named(jets, hostile, bench, named):
    found = report(proof(**AGREED | jets), proof(**AGREED | hostile), bench)
    assert found.mismatches == sum(jets.values()) + sum(hostile.values()) + bench
    lines = found.first_mismatches()
    assert len(lines) == len(named)
    for line, start in zip(lines, named, strict=True):
        assert line.startswith(start)

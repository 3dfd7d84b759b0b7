"""The ring benchmark: the stored page is that of the stored rows."""

import json
from pathlib import Path

from nanopelican_hls import zoo
from nanopelican_hls.benchmarks.ring import tasks
from nanopelican_hls.benchmarks.ring_page import page, pictures

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ROWS = json.loads((BENCHMARKS / "ring.json").read_text(encoding="utf-8"))


def test_the_stored_page_is_that_of_the_stored_rows():
    assert page(ROWS) == (BENCHMARKS / "ring.md").read_text(encoding="utf-8")
    assert {name: content[:4] for name, content in pictures(ROWS).items()} == dict.fromkeys(
        ("ring.png", "ring-auc.png"), b"\x89PNG"
    )


def test_rows_are_those_of_the_command_and_have_no_mismatch():
    names = [task.name for task in tasks(zoo.MODELS)]
    assert [row["name"] for row in ROWS] == [name for name in names if name in {row["name"] for row in ROWS}]
    assert all(row["rtl_vs_qonnx"]["mismatches"] == 0 for row in ROWS)
    assert all(row["dsp"] == row["counts"]["dsp"] for row in ROWS)
    assert all(row["latency_cycles"] == row["counts"]["cycles"] for row in ROWS)

"""``nanopelican study ceiling``: taggers in floating point."""

from __future__ import annotations

import json

from nanopelican_hls.cli import main
from nanopelican_hls.studies import ceiling


def test_the_table(jets_file, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ceiling, "SIZES", (3, 4))
    monkeypatch.setattr(ceiling, "EPOCHS", 2)
    command = ["study", "ceiling", "--jets", str(jets_file), "--output", str(tmp_path), "--jobs", "1"]
    assert main(command) == 0
    page, content = (tmp_path / "ceiling.md").read_text(), json.loads((tmp_path / "ceiling.json").read_text())
    assert page in capsys.readouterr().out
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    assert [line[:3] for line in lines[2:]] == [
        [title, n, count] for n in ("3", "4") for title, count in (("Deep Sets", "3,489"), ("Transformer", "19,617"))
    ]
    for n, row in (("n3", 2), ("n4", 4)):
        deep_sets = [result for result in content["results"][n] if result["name"] == "deep-sets"]
        best = min(deep_sets, key=lambda result: result["figures"]["valid"]["float"]["loss"])
        assert lines[row][3].startswith(f"{best['figures']['test']['float']['auc']:.4f} ± ")
    # finished trainings are read back
    runs = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("result.json")}
    assert len(runs) == 8
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("result.json")} == runs

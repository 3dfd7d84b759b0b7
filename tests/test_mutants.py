"""Mutation testing: every fault still applies, a slice of them is noticed, and the runner tells faults that are not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: seconds for the tests of a fault that makes them run forever
LIMIT = 2


def _load():
    spec = importlib.util.spec_from_file_location("mutants_run", ROOT / "mutants" / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


run = _load()
MUTANTS = run.read_mutants(ROOT / "mutants")
QUICK = [mutant for mutant in MUTANTS if mutant.quick]


def test_every_fault_applies_and_is_no_error_of_syntax():
    for mutant in MUTANTS:
        text = mutant.applied(ROOT)
        if mutant.file.endswith(".py"):
            compile(text, mutant.file, "exec")
        for test in mutant.tests:
            assert (ROOT / test.partition("::")[0]).is_file(), f"{mutant}: {test}"


def test_there_are_enough_faults_and_none_twice():
    assert len(MUTANTS) >= 150
    assert Counter((m.file, m.before, m.after) for m in MUTANTS).most_common(1)[0][1] == 1
    assert len(QUICK) >= 8


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the runner copies what git lists: this is no checkout")
def test_a_slice_of_the_faults_is_noticed(tmp_path):
    results = run.try_mutants(ROOT, QUICK, tmp_path, jobs=1, sound=False)
    assert list(results) == QUICK
    assert run.open_faults(results) == []


class TestRunner:
    """On a tree with one module."""

    SOURCE = "def total(values):\n    sum_ = 0\n    for x in values:\n        sum_ += abs(x)\n    return sum_\n"
    TEST = "from sums import total\n\ndef test_total():\n    assert total([2, 3]) == 5\n"

    @pytest.fixture
    def tree(self, tmp_path, monkeypatch):
        monkeypatch.setattr(run, "HEAVY", ())
        monkeypatch.setattr(run, "ALLOWANCE", LIMIT)
        tree = tmp_path / "tree"
        tree.mkdir()
        (tree / "sums.py").write_text(self.SOURCE)
        (tree / "test_sums.py").write_text(self.TEST)
        subprocess.run(["git", "init", "--quiet"], cwd=tree, check=True)
        return tree

    @staticmethod
    def fault(before, after, **options):
        return run.Mutant("sums", "sums.py", before, after, ("test_sums.py",), **options)

    def test_what_is_noticed_and_what_is_not(self, tree, tmp_path, monkeypatch):
        killed, survived = self.fault("sum_ = 0", "sum_ = 1"), self.fault("abs(x)", "x")
        endless = self.fault("return sum_", "while True: pass")
        excused = self.fault("abs(x)", "x * 1", survives="the values are natural numbers")
        mutants = [killed, survived, endless, excused]
        results = run.try_mutants(tree, mutants, tmp_path / "kept", jobs=2)
        assert [results[m].outcome for m in mutants] == ["killed", "survived", "undecided", "survived"]
        assert results[killed].test == "test_sums.py::test_total"
        assert run.open_faults(results) == [f"survived: {survived}", f"undecided: {endless}"]
        assert "| sums | 4 | 1 | 2 | 1 |" in run.page(results)
        assert "| `abs(x)` | `x` | survived | open |" in run.page(results)
        assert (tree / "sums.py").read_text() == self.SOURCE

        # a run that was stopped goes on; what has changed is tried again
        monkeypatch.setattr(run.Worker, "run", None)
        assert run.try_mutants(tree, mutants, tmp_path / "kept", jobs=1) == results
        monkeypatch.undo()
        monkeypatch.setattr(run, "HEAVY", ())
        (tree / "test_sums.py").write_text(self.TEST.replace("[2, 3]", "[2, -3]"))
        again = run.try_mutants(tree, [survived, excused], tmp_path / "kept", jobs=1)
        assert [result.outcome for result in again.values()] == ["killed", "killed"]
        assert run.open_faults(again) == [f"is killed by test_sums.py::test_total: {excused}"]

    def test_tests_that_fail_anyway_notice_nothing(self, tree, tmp_path):
        (tree / "test_sums.py").write_text(self.TEST.replace("== 5", "== 6"))
        with pytest.raises(run.MutantError, match="the tests fail without any fault"):
            run.try_mutants(tree, [self.fault("abs(x)", "x")], tmp_path / "kept", jobs=1)

    @pytest.mark.parametrize(("before", "count"), [("sum", 3), ("mean", 0)])
    def test_a_text_that_does_not_occur_once(self, tree, tmp_path, before, count):
        with pytest.raises(run.MutantError, match=f"stale mutant: '{before}' occurs {count} times in sums.py"):
            run.try_mutants(tree, [self.fault(before, "x")], tmp_path / "kept", jobs=1)

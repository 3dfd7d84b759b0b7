"""Every error of ours says what to do."""

from __future__ import annotations

import ast

import pytest
import reference
from raises import CLASSES, PACKAGE, calls, raises

from nanopelican_hls import errors

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if any(calls(path)))


def test_there_are_modules_with_errors():
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_error_has_a_remedy(path):
    without = [call.lineno for call in calls(path) if not any(word.arg == "remedy" for word in call.keywords)]
    assert not without, f"lines without a remedy: {without}"


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_message_has_the_remedy(name):
    error = getattr(errors, name)("what", where="where", remedy="do this")
    assert str(error) == "where: what\n  remedy: do this"


def test_the_reference_has_every_message_with_its_remedy():
    page = reference.errors()
    found = raises()
    assert {(PACKAGE.parent / each.path, each.line) for each in found} >= {
        (path, call.lineno)
        for path in MODULES
        for call in calls(path)
        if "error.what" not in ast.unparse(call)  # one that only adds a place to another error
    }
    for each in found:
        assert f"{' '.join(each.what.split())}".replace("|", "\\|") in page, each
        assert each.remedy, each

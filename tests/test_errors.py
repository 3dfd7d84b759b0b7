"""Every error of ours says what to do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import nanopelican_hls
from nanopelican_hls import errors

PACKAGE = Path(nanopelican_hls.__file__).parent
CLASSES = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
#: `error` is a class of ours that a function was given
NAMES = CLASSES | {"error"}


def raised(path):
    """The calls of our error classes in the raise statements of a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and getattr(node.exc.func, "id", "") in NAMES:
            yield node.exc


MODULES = sorted(path for path in PACKAGE.rglob("*.py") if any(raised(path)))


def test_there_are_modules_with_errors():
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_error_has_a_remedy(path):
    without = [call.lineno for call in raised(path) if not any(word.arg == "remedy" for word in call.keywords)]
    assert not without, f"lines without a remedy: {without}"


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_message_has_the_remedy(name):
    error = getattr(errors, name)("what", where="where", remedy="do this")
    assert str(error) == "where: what\n  remedy: do this"

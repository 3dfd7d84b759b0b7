"""Rules for every picture that the package draws."""

from __future__ import annotations

import ast
from pathlib import Path

import nanopelican_hls

PACKAGE = Path(nanopelican_hls.__file__).parent


def test_every_legend_has_its_place():
    """Where none is given, matplotlib seeks the best one, and warns when that takes a second: on a slow machine."""
    without, found = [], 0
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "legend":
                found += 1
                places = [keyword.value for keyword in node.keywords if keyword.arg == "loc"]
                if not places or (isinstance(places[0], ast.Constant) and places[0].value == "best"):
                    without.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert found > 10
    assert not without

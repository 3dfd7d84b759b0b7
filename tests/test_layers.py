"""Imports run downwards only, including those inside functions and for type checking."""

from __future__ import annotations

import graphlib
import re
import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
#: the rooms of each level, from the top
LAYERS = [[room.strip() for room in line.split("|")] for line in CONTRACTS[0]["layers"]]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}


@pytest.fixture(scope="module")
def imports():
    """For each module, the modules of the package that it imports."""
    graph = grimp.build_graph("nanopelican_hls", exclude_type_checking_imports=False, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def room(module: str) -> str:
    return module.split(".")[1]


def test_no_module_imports_another_in_a_circle(imports):
    graphlib.TopologicalSorter(imports).prepare()


def test_every_room_has_a_place(imports):
    assert {room(module) for module in imports if "." in module} == set(LEVEL)


def test_rooms_import_what_is_below_them(imports):
    upward = [
        (module, imported)
        for module, others in imports.items()
        for imported in others
        if "." in module and room(module) != room(imported) and LEVEL[room(module)] >= LEVEL[room(imported)]
    ]
    assert upward == []


def test_nothing_but_the_user_imports_the_front_door(imports):
    """The package itself imports each name from the module that defines it."""
    assert [module for module, others in imports.items() if "nanopelican_hls" in others] == []


def test_the_code_map_is_true(imports):
    """docs/code.md: every room, and what it imports."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]*) ?\|$", (ROOT / "docs" / "code.md").read_text("utf-8"), re.MULTILINE)
    told = {name: set(re.findall(r"`(\w+)`", cell)) for name, cell in rows if name in LEVEL and name != "cli"}
    modules = {path.stem for path in (ROOT / "nanopelican_hls").glob("*.py")} - {"targets"}
    found: dict[str, set[str]] = {name: set() for name in LEVEL if name not in modules | {"cli"}}
    for module, others in imports.items():
        if "." in module and room(module) in found:
            found[room(module)] |= {room(other) for other in others if "." in other} - modules - {room(module)}
    assert told == found

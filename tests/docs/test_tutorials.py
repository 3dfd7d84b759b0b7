"""Tutorials work as they are written, and commands on all pages exist."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from docs.snippets import blocks, commands, compare, parse, quick, run
from rtl_extra import MISSING

from nanopelican_hls.errors import CommandLineError

ROOT = Path(__file__).parents[2]
TUTORIALS = [ROOT / "docs" / "index.md", *sorted((ROOT / "docs" / "tutorials").glob("*.md"))]
#: tutorials that trace Verilog, or estimate what it costs
NEED_RTL = {"core", "budget", "tour", "own-part"}
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_tutorial(page, tmp_path, monkeypatch):
    if page.stem in NEED_RTL and MISSING:
        pytest.skip(f"needs the extra rtl: {', '.join(MISSING)}")
    if page.stem == "cmssw" and shutil.which("make") is None:
        pytest.skip("make is not installed")
    quick(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_parse(page):
    for block in blocks(page):
        if block.language == "bash" and not block.file:
            for line in commands(block.text):
                parse(line)


def test_commands_of_tasks_parse():
    for line in re.findall(r"`(nanopelican .*?)`", (ROOT / "docs" / "howto.md").read_text(encoding="utf-8")):
        parse(line)


def test_an_output_that_differs_is_noticed():
    compare("a  1\n...\nc ... 3", "a 1\nb\nc 2 3\n")
    for wrong in ("a 2", "c 2 3\na 1", "c 2"):
        with pytest.raises(AssertionError, match="is not in"):
            compare(wrong, "a 1\nb\nc 2 3\n")
    with pytest.raises(CommandLineError, match="has no option --no-such"):
        parse("nanopelican zoo --no-such")

"""The site is built without a warning, and has what it takes from the sources."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import reference
from raises import raises

import nanopelican_hls
from nanopelican_hls.cli import COMMANDS

ROOT = Path(__file__).parents[2]
NEEDED = ("sphinx", "myst_parser", "furo", "sphinx_copybutton")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        pytest.skip(f"needs the extra docs: {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", str(folder)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return folder


def html(site, page):
    return (site / f"{page}.html").read_text(encoding="utf-8")


def test_every_page_is_built(site):
    for page in (ROOT / "docs").rglob("*.md"):
        assert (site / page.relative_to(ROOT / "docs").with_suffix(".html")).exists()


def test_search_needs_no_network(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert all(f'"{page}"' in index for page in ("tutorials/tour", "reference/errors", "benchmarks/ring"))
    assert not re.findall(r'<(?:script|link)[^>]*(?:src|href)="(?:https?:)?//(?!github)', html(site, "search"))


def test_links_out_of_the_documentation_lead_to_the_repository(site):
    assert f'href="https://{reference.REPOSITORY}/blob/main/CONTRIBUTING.md' in html(site, "howto")
    assert 'href="benchmarks/ring.html"' in html(site, "rtl")


def test_the_reference_has_every_command_function_and_error(site):
    cli, api, errors = (html(site, f"reference/{page}") for page in ("cli", "api", "errors"))
    assert all(f'id="{command}"' in cli for command in COMMANDS)
    assert all(f'id="nanopelican_hls.{name}"' in api for name in nanopelican_hls.__all__ if not name.startswith("_"))
    assert all(f"#L{each.line}" in errors for each in raises())


def test_options_in_the_text_keep_their_hyphens(site):
    for page in ("errors", "cli"):
        assert "\u2013" not in html(site, f"reference/{page}")


def test_options_have_their_meaning_and_default():
    page = reference.cli()
    assert "| `--build BUILD` | folder for projects and reports (default: build) |" in page
    assert "### jets generate" in page


def test_keys_have_type_and_default():
    page = reference.configuration()
    assert "| `spurions` | `none, beams, jet, rest` | `none` |" in page
    assert "| `clock_period_ns` | `float` | `2.7777` |" in page
    assert "| `low` | `int` | `24` |\n" in page  # none of its section has a comment

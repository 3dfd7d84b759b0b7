"""The content of a report as plain data, and as JSON."""

from __future__ import annotations

import json

import pytest

from nanopelican_hls.errors import ReportError
from nanopelican_hls.report.content import (
    KINDS,
    Arrow,
    Box,
    Code,
    Column,
    Counts,
    Diagram,
    Figure,
    Measured,
    Missing,
    Panel,
    Paragraph,
    Picture,
    Report,
    Section,
    Series,
    Table,
    number,
    read_report,
    text,
)

EVERYTHING = Report(
    "title",
    ("one",),
    "nanopelican report one",
    (Figure("AUC", "0.9", "quantised", "first"),),
    differs=True,
    sections=(
        Section(
            "first",
            "First",
            "Is it?",
            (
                Paragraph("text"),
                Code("title", "a\n  b"),
                Missing("this", "nanopelican csim one"),
                Table(
                    "table",
                    "caption",
                    (Column("a"), Column("b", ".2f", "GeV", compared=False)),
                    (("x", 1.5), ("y", None), ("z", Measured(2.0, 0.5, bound=True)), ("c", Counts((0, 3)))),
                    "nanopelican report one",
                    folded=True,
                ),
                Picture(
                    "picture",
                    "caption",
                    "alt",
                    "x",
                    (Panel("y", (Series("s", "float", "line", (0.0, 1.0), (1.0, 2.0), error=(0.1, 0.2)),), log=True),),
                    "nanopelican report one",
                    limits=(0.0, 1.0),
                ),
                Diagram(
                    "d", "c", "alt", (Box("a", "t", ("l",), "port"),), (Arrow("a", "a", "x"),), "nanopelican check"
                ),
            ),
        ),
    ),
)


def test_json_and_back():
    content = json.loads(json.dumps(EVERYTHING.as_json(), allow_nan=False))
    assert {block["kind"] for block in content["sections"][0]["blocks"]} == set(KINDS)
    assert Report.from_json(content, "here") == EVERYTHING


@pytest.mark.parametrize("content", [[], {}, {"format": 0}, {"format": 1}, {"format": 1, "title": "a", "more": 1}])
def test_other_json_is_refused(content, tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ReportError, match="is not a report") as caught:
        read_report(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("caption", "title", "short"),
    [
        ("Figures of the card (train: 5 jets of a.h5, test: 3). More.", "", "Figures of the card"),
        ("How far it goes: 0 bits if not. More.", "", "How far it goes"),
        ("Resources.", "", "Resources"),
        ("A jet passes if the integer is at least that.", "Thresholds", "Thresholds"),
    ],
)
def test_short_titles_of_tables(caption, title, short):
    assert Table("t", caption, (), (), "", title=title).short_title() == short


def test_no_file(tmp_path):
    with pytest.raises(ReportError, match="cannot be read"):
        read_report(tmp_path / "report.json")


@pytest.mark.parametrize(
    ("cell", "form", "shown", "value"),
    [
        (None, ",", "-", None),
        ("a", ".4f", "a", None),
        (12345, ",", "12,345", 12345),
        (0.0, ",", "0", 0.0),
        (Measured(0.97718, 0.00123), ".4f", "0.9772 ± 0.0012", 0.97718),
        (Measured(431.4, 99.9), ",.0f", "431 ± 100", 431.4),
        (Measured(13.96, 0.71), ",.0f", "14.0 ± 0.7", 13.96),
        (Measured(8000.0, 8000.0, bound=True), ",.0f", "> 8,000", 8000.0),
        (Counts((0, 1, 100, 0)), ",", " ▂█ ", None),
    ],
)
def test_cells(cell, form, shown, value):
    assert text(cell, Column("c", form)) == shown
    assert number(cell) == value


def test_figures_that_do_not_exist_are_none():
    cells = (float("nan"), float("inf"), Measured(1.0, float("nan")), Measured(1.0, 0.5), 2.0, 3, "nan", None)
    table = Table("key", "Caption.", tuple(Column("title") for _ in cells), (cells,), "command")
    assert table.rows == ((None, None, None, Measured(1.0, 0.5), 2.0, 3, "nan", None),)

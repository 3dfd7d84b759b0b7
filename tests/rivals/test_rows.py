"""Rows of the comparison with rivals: from cards and reports, in files, and as a page."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from nanopelican_hls.cli import main
from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.rivals.page import page, picture
from nanopelican_hls.rivals.rows import Row, merged, read_rows, rows_of_forms, rows_of_zoo, write_rows

HARDWARE = {"lut": 1234, "ff": 567, "dsp": 8, "latency_cycles": 10, "clock_period_ns": 2.5}
FIGURES = {"auc": 0.97, "auc_error": 0.001, "rejection_30": 400.0, "rejection_30_error": 40.0}
RIVAL = Row("rival-n8", "deep-sets", 8, "pt 10", FIGURES, **HARDWARE, mismatches={"RTL, alkaid": (1000, 0)})
NETWORK = {"n_constituents": 8, "channels": 2, "spurions": "rest", "multiplicity": "jet"}
CARD = {
    "name": "mine",
    "config": {"network": NETWORK},
    "figures": {"test": {"quantised": FIGURES}},
    "seed": 3,
    "command": "nanopelican train",
}
REPORT = HARDWARE | {"rtl_vs_qonnx": {"events": 30, "mismatches": 0}}


@pytest.fixture
def zoo(tmp_path):
    """A card with a report, and a report without a card."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.json").write_text(json.dumps(CARD))
    for name in ("mine", "other"):
        folder = tmp_path / "build" / name
        folder.mkdir(parents=True)
        (folder / "synth.json").write_text(json.dumps(REPORT))
    return tmp_path


def test_a_row_joins_a_card_and_its_report(zoo):
    (row,) = rows_of_zoo(zoo / "models", zoo / "build")
    assert row == Row(
        name="mine",
        tagger="nPELICAN",
        n_constituents=8,
        inputs="rest, n_jet",
        figures=FIGURES,
        **HARDWARE,
        mismatches={"RTL, QONNX": (30, 0)},
        details={"channels": 2, "seed": 3, "command": "nanopelican train"},
    )


def test_a_card_that_predates_the_multiplicity_has_none(zoo):
    network = {"n_constituents": 8, "channels": 2, "spurions": "jet"}
    (zoo / "models" / "mine.json").write_text(json.dumps(CARD | {"config": {"network": network}}))
    assert [row.inputs for row in rows_of_zoo(zoo / "models", zoo / "build")] == ["jet"]


def test_forms_with_the_jet_are_rows(tmp_path):
    form = HARDWARE | {"name": "form-c-n8", "n_constituents": 8, "channels": 4, "figures": {"quantised": FIGURES}}
    path = tmp_path / "synthesis.json"
    path.write_text(json.dumps([form | {"spurions": "jet"}, form | {"name": "form-a-n8", "spurions": "beams"}]))
    assert [row.name for row in rows_of_forms(path)] == ["form-c-n8"]
    assert rows_of_forms(tmp_path / "absent.json") == []


def test_rows_are_read_back(tmp_path):
    write_rows([RIVAL], tmp_path / "rivals.json")
    (row,) = read_rows(tmp_path / "rivals.json")
    assert replace(row, mismatches=RIVAL.mismatches) == RIVAL
    assert {pair: tuple(counts) for pair, counts in row.mismatches.items()} == RIVAL.mismatches
    assert read_rows(tmp_path / "absent.json") == []


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "rivals.json").write_text('[{"name": "x"}]')
    with pytest.raises(SynthesisError, match=r"rivals\.json: is damaged"):
        read_rows(tmp_path / "rivals.json")


def test_new_rows_replace_those_of_their_name():
    other = replace(RIVAL, name="other")
    assert merged([RIVAL, other], [replace(RIVAL, lut=1)]) == [replace(RIVAL, lut=1), other]


def test_the_page_has_every_row_with_errors_and_mismatches():
    text = page([replace(RIVAL, tagger="nPELICAN", name="mine", mismatches={}), RIVAL])
    line = "8 | pt 10 |  | 0.9700 ± 0.0010 | 400 ± 40 | 1,234 | 567 | 8 | 10 | 25.0 |"
    assert f"| mine | {line}" in text
    assert f"| rival-n8 | {line}" in text
    assert "| rival-n8 | RTL, alkaid | 1,000 | 0 |" in text
    assert text.index("## nPELICAN") < text.index("## Deep Sets")


def test_the_picture_is_a_png():
    pytest.importorskip("matplotlib")
    assert picture([RIVAL, replace(RIVAL, lut=9000, dsp=0)]).startswith(b"\x89PNG")


def test_the_command_writes_the_page_without_training(zoo, capsys):
    output = zoo / "output"
    output.mkdir()
    write_rows([RIVAL], output / "rivals.json")
    options = {"models": zoo / "models", "build": zoo / "build", "output": output}
    assert main(["rivals", *(word for name, path in options.items() for word in (f"--{name}", str(path)))]) == 0
    assert capsys.readouterr().out == (output / "rivals.md").read_text()
    assert [row.name for row in read_rows(output / "rivals.json")] == ["mine", "rival-n8"]


@pytest.mark.parametrize(("pair", "status"), [("RTL, alkaid", 1), ("RTL, QONNX", 1), ("Keras, alkaid", 0)])
def test_the_status_is_that_of_the_verilog(zoo, pair, status):
    output = zoo / "output"
    output.mkdir()
    write_rows([replace(RIVAL, mismatches={pair: (1000, 3)})], output / "rivals.json")
    options = {"models": zoo / "models", "build": zoo / "build", "output": output}
    assert main(["rivals", *(word for name, path in options.items() for word in (f"--{name}", str(path)))]) == status

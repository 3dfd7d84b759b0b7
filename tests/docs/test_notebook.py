"""The notebook runs from the top, without an error, and shows what it promises."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from rtl_extra import MISSING

NEEDED = ("ipykernel", "matplotlib", "nbclient", "nbformat")
NOTEBOOK = Path(__file__).parents[2] / "examples" / "tour.ipynb"


@pytest.fixture(scope="module")
def tour():
    """The notebook with its outputs; `mismatches` as its last output."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None] + list(MISSING):
        pytest.skip(f"needs {', '.join(missing)}")
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not kept in the repository"
    notebook.cells.append(nbformat.v4.new_code_cell("print(mismatches)"))
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    return notebook


@pytest.fixture(scope="module")
def outputs(tour):
    return [output for cell in tour.cells for output in cell.get("outputs", ())]


def test_no_cell_fails_or_warns(outputs):
    assert {output.output_type for output in outputs} <= {"display_data", "execute_result", "stream"}
    assert not [output.text for output in outputs if output.get("name") == "stderr" and "Warning" in output.text]


def test_there_are_pictures(outputs):
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3


def test_no_mismatch(outputs):
    texts = [output.text for output in outputs if output.output_type == "stream" and output.name == "stdout"]
    assert texts[-1] == "0\n"
    assert any("0 of 2000 jets differ, 35 tensors compared" in text for text in texts)

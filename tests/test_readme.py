"""The examples, options and links in the README work."""

import dataclasses
import re
from pathlib import Path

import reference

from nanopelican_hls.cli import main
from nanopelican_hls.config import FirmwareConfig, TrainingConfig, load_config, to_mapping
from nanopelican_hls.topology.config import NetworkConfig, QuantisersConfig

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tables_of_models_are_those_of_the_command(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["zoo"]) == 0
    table = capsys.readouterr().out.strip()
    assert table in (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    head, _, *rows = (line for line in README.split("## Models")[1].split("## ")[0].splitlines() if line[:1] == "|")
    assert head in table
    assert rows and set(rows) <= set(table.splitlines())


def test_the_figures_of_others_are_those_of_the_benchmarks():
    """Every row of the table against others has its figures in one row of a benchmark."""
    lines = [line for name in ("ring", "rivals") for line in (ROOT / f"benchmarks/{name}.md").read_text().splitlines()]
    rows = re.findall(r"^\| (?!---)(?!\|)(.+) \|$", README.split("## Against others")[1].split("## ")[0], re.MULTILINE)
    for name, *cells in (row.split(" | ") for row in rows):
        kind = name.split(",")[0].split(" (")[0]
        figures = [re.split(" ± ", cell)[0] for cell in cells[2:]]
        assert any(
            kind.lower().replace(" ", "-") in line.lower().replace(" ", "-")
            and all(re.search(rf"(?<![\d.,]){re.escape(figure)}(?![\d.])", line) for figure in figures)
            for line in lines
        ), name


def test_the_readme_is_short():
    assert len(README.splitlines()) < 100
    assert "docs/pictures/picture.svg" in README


def test_the_configuration_page_has_every_key(tmp_path):
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "mine.yaml").write_text(example, encoding="utf-8")
    mine, shipped = load_config(tmp_path / "mine.yaml"), load_config(ROOT / "configs" / "trigger-n16.yaml")
    for section in ("network", "quantisers", "firmware"):
        assert to_mapping(getattr(mine, section)) == to_mapping(getattr(shipped, section))
    for kind in (NetworkConfig, QuantisersConfig, FirmwareConfig):
        for field in dataclasses.fields(kind):
            assert f"  {field.name}: " in example or field.name == "tensors", field.name
    recipe = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(TrainingConfig):
        assert f"`{field.name}`" in recipe, field.name


def anchors(page):
    """The link anchors of a page's headings, those that are generated included."""
    headings = re.findall(r"^#+ (.*)$", reference.page(page, page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    return re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))


def test_every_link_leads_somewhere():
    for page in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in links(page):
            if not target.startswith("http"):
                name, _, anchor = target.partition("#")
                linked = page.parent / name if name else page
                assert linked.exists(), f"{page.relative_to(ROOT)}: {target}"
                assert not anchor or anchor in anchors(linked), f"{page.relative_to(ROOT)}: {target}"


def test_every_question_has_an_answer():
    rows = re.findall(r"^\| (.*\?.*) \| (.*) \|$", (ROOT / "docs" / "questions.md").read_text(), re.MULTILINE)
    assert len(rows) > 30
    assert all("](" in answer for _, answer in rows)


def test_every_page_is_in_the_site():
    """In the contents, by name or by a pattern."""
    listed = set()
    for page in (ROOT / "docs").rglob("*.md"):
        for entries in re.findall(
            r"^```\{toctree\}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        ):
            for entry in entries.splitlines():
                if entry and not entry.startswith(":"):
                    listed |= set(page.parent.glob(f"{entry}.md"))
    assert set((ROOT / "docs").rglob("*.md")) - listed == {ROOT / "docs" / "index.md"}

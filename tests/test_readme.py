"""The examples, options and links in the README work."""

import dataclasses
import itertools
import json
import math
import re
from pathlib import Path

import numpy as np
import reference

from nanopelican_hls.cli import main
from nanopelican_hls.config import FirmwareConfig, TrainingConfig, load_config, to_mapping
from nanopelican_hls.contract.execution import execute
from nanopelican_hls.evaluation.working_points import threshold_for_background
from nanopelican_hls.jets import port_values, read_jets, sample_path
from nanopelican_hls.network.model import export_qonnx, load_model
from nanopelican_hls.report.tensors import type_name
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


def port_rows(page, names):
    """Cells by port, of the table whose head has the names."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("| ") and all(name in line for name in names))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    return {cells[0].split("`")[1]: cells for cells in (re.split(r" *\| *", row)[1:-1] for row in rows)}


def test_the_ports_of_the_recommended_models_are_listed():
    names = ("trigger-n8", "trigger-n16")
    programs = [export_qonnx(load_model(name)) for name in names]
    hls, rtl = (port_rows(page, names) for page in ("firmware.md", "rtl.md"))
    for k, program in enumerate(programs):
        ports = [*program.inputs, *program.outputs]
        (output,) = program.outputs
        types = {port.name: f"`{type_name(program, port.tensor)}`" for port in program.inputs}
        assert {name: cells[2 + k] for name, cells in hls.items()} == types | {
            f"layer{len(program.nodes)}_out": f"`{type_name(program, output.tensor)}`"
        }
        assert {name: cells[1 + 3 * k : 4 + 3 * k] for name, cells in rtl.items()} == {
            port.tensor: [
                f"`[{port.width - 1}:0]`" + f", {port.elements} x {port.bits} bits" * (port.elements > 1),
                "yes" if port.signed else "no",
                f"2^{port.exponent}",
            ]
            for port in ports
        }


def test_what_quantisation_costs_the_shipped_models():
    page = re.sub(r"\s+", " ", (ROOT / "docs" / "studies.md").read_text(encoding="utf-8"))
    page = page.split("Of the shipped models,")[1].split("## ")[0]
    for name in ("trigger-n8", "trigger-n16", "paper-n80-c2"):
        figures = json.loads((ROOT / "models" / f"{name}.json").read_text())["figures"]["test"]
        auc = [f"{figures[kind]['auc']:.4f}" for kind in ("float", "quantised")]
        rejection = [
            f"{figures[kind]['rejection_30']:.0f} ± {figures[kind]['rejection_30_error']:.0f}"
            for kind in ("float", "quantised")
        ]
        (told,) = re.findall(rf"{name} (?:goes )?from (?:an AUC of )?([^,]*?)(?:,| and paper|\. An)", page)
        assert re.findall(r"0\.\d{4}", told) == auc
        assert re.findall(r"\d+ ± \d+", told) == rejection


def test_the_example_of_a_working_point():
    """Of trigger-n16 at 1% of the background, by the sample."""
    model = load_model("trigger-n16")
    program, jets = export_qonnx(model), read_jets(sample_path())
    (port,) = program.outputs
    logits = execute(program, port_values(jets, model.config.network))["logit"][:, 0]
    integers = np.ldexp(logits, -port.exponent).astype(np.int64)
    threshold = math.ceil(threshold_for_background(integers[jets.labels == 0].astype(np.float64), 0.01))
    page = re.sub(r"\s+", " ", (ROOT / "docs" / "result.md").read_text(encoding="utf-8"))
    assert (
        f"reach is {math.ldexp(threshold, port.exponent)}, which is the integer {threshold} (`12'h{threshold:03x}`)"
        in page
    )
    passing = {label: 100 * np.mean(integers[jets.labels == label] >= threshold) for label in (0, 1)}
    assert f"{passing[1]:.1f} ± 0.7% of the signal does, and {passing[0]:.2f} ± 0.14% of the background" in page

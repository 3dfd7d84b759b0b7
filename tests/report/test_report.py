"""The command, and its three renderings of one content."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from report.conftest import EVENTS

from nanopelican_hls.cli import main
from nanopelican_hls.errors import RtlError
from nanopelican_hls.processes import Terminated
from nanopelican_hls.report.content import (
    Code,
    Diagram,
    Measured,
    Missing,
    Paragraph,
    Picture,
    Report,
    Table,
    number,
    text,
)
from nanopelican_hls.report.writing import write_report

SECTIONS = [
    "network",
    "accuracy",
    "physics",
    "working-points",
    "distributions",
    "hardware",
    "invariance",
    "origin",
]
VOID = {"meta", "link", "br", "line", "path"}


class Page(HTMLParser):
    """Checks that tags are balanced, and collects what tests look at."""

    def __init__(self, content):
        super().__init__()
        self.open, self.tags, self.rows, self.problems = [], [], {}, []
        self.table, self.cell = None, None
        self.feed(content)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID or (self.get_starttag_text().startswith("<path") and not self._closed()):
            self.open.append(tag)
        if tag == "table":
            self.table = self.rows.setdefault(dict(attrs)["id"], [])
        if tag == "tr":
            self.table.append([])
        if tag in ("td", "th"):
            self.cell = [dict(attrs).get("data-value"), ""]
            self.table[-1].append(self.cell)

    def _closed(self):
        return self.get_starttag_text().endswith("/>")

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        if self.cell and {"td", "th"} & set(self.open):
            self.cell[1] += data


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def blocks(report, kind):
    return [block for section in report.sections for block in section.blocks if isinstance(block, kind)]


def test_sections_in_order(report):
    assert [section.key for section in report.sections] == SECTIONS


class TestHtml:
    def test_is_well_formed_with_names_of_its_own(self, page):
        names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(names) == len(set(names))
        for _, attributes in page.tags:
            for target in (attributes.get("href", ""), attributes.get("aria-labelledby", "")):
                for name in target.split():
                    assert not name.startswith("#") or name[1:] in names
            assert set(attributes.get("aria-labelledby", "").split()) <= set(names)

    def test_pictures_have_alternatives_and_are_well_formed(self, html, report):
        drawings = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]
        assert len(drawings) > len(blocks(report, Picture))
        for svg in drawings:
            assert svg.get("role") == "img"
            assert svg.get("aria-label") or (svg.find("title").text and svg.find("desc").text)
        for block in blocks(report, Picture | Diagram):
            assert len(block.alt) > 40

    def test_loads_nothing(self, html, page):
        assert "http:" not in html
        assert "https:" not in html
        for tag, attributes in page.tags:
            assert "src" not in attributes
            assert attributes.get("href", "#").startswith("#") or (tag, attributes["href"]) == ("link", "data:,")
        assert not re.search(r"@import|url\((?!#)", html)

    def test_colours_are_those_of_the_page(self, html):
        style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
        light, dark = style.split("prefers-color-scheme", 1)
        used = set(re.findall(r"var\((--[\w-]+)\)", html))
        for half in (light, dark):
            assert used <= set(re.findall(r"(--[\w-]+):", half))
        pictures = "".join(re.findall(r"<svg.*?</svg>", html, re.DOTALL))
        assert set(re.findall(r"#[0-9a-f]{6}\b", pictures)) == set()

    def test_tables_have_buttons_and_headings(self, page):
        buttons = [attributes for tag, attributes in page.tags if tag == "button"]
        assert len(buttons) > 50
        assert all(attributes == {"type": "button"} for attributes in buttons)
        levels = [tag for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
        assert levels == ["h1", *["h2"] * len(SECTIONS)]

    def test_figures_are_those_of_the_json(self, page, report):
        tables = blocks(report, Table)
        assert set(page.rows) == {table.key for table in tables}
        for table in tables:
            _, *rows = page.rows[table.key]
            assert len(rows) == len(table.rows)
            for shown, cells in zip(rows, table.rows, strict=True):
                for (value, written), cell, column in zip(shown, cells, table.columns, strict=True):
                    assert (None if value is None else float(value)) == number(cell)
                    if isinstance(cell, str | int | float | Measured | None):
                        assert written == text(cell, column)

    def test_is_made_of_the_content_alone(self, html, report):
        from nanopelican_hls.report.html import html as render

        assert render(Report.from_json(report.as_json(), "")) == html


def test_markdown_has_every_figure(folder, report):
    content = (folder / "report.md").read_text(encoding="utf-8")
    for table in blocks(report, Table):
        for row in table.rows:
            cells = [text(cell, column) for cell, column in zip(row, table.columns, strict=True)]
            line = " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells)
            assert f"| {line} |" in content
    for block in blocks(report, Paragraph):
        assert block.text in content
    for block in blocks(report, Code):
        assert block.text in content
    pictures = re.findall(r"!\[(.*?)\]\((.*?)\)", content)
    assert [alt for alt, _ in pictures] == [block.alt for block in blocks(report, Picture)]
    for _, path in pictures:
        assert ET.parse(folder / path).getroot().tag.endswith("svg")


def test_each_working_point_is_found_once(built, monkeypatch):
    from nanopelican_hls.cli import build_parser
    from nanopelican_hls.cli.report import _subject
    from nanopelican_hls.report.sections import physics

    found, working_point = [], physics.working_point

    def counted(jets, logits, share):
        found.append((logits.tobytes(), share))
        return working_point(jets, logits, share)

    monkeypatch.setattr(physics, "working_point", counted)
    words = ["report", str(built / "tiny.yaml"), "--models", str(built / "models"), "--events", "1000"]
    physics.section(_subject(words[1], build_parser().parse_args(words)))
    assert len(found) == len(set(found)) == 4


def test_every_block_names_a_command_that_parses(report):
    from nanopelican_hls.cli import build_parser

    parser = build_parser()
    commands = {block.command for block in blocks(report, Table | Picture | Diagram | Missing)}
    for command in commands:
        program, *words = shlex.split(command)
        if program == "nanopelican":
            parser.parse_args(words)
        else:
            assert program in ("make", "sha256sum")
    assert any("report" in command for command in commands)


class TestContent:
    def cells(self, report, key):
        (table,) = (each for each in blocks(report, Table) if each.key == key)
        return {row[0]: dict(zip([c.title for c in table.columns], row, strict=True)) for row in table.rows}

    def test_bit_accuracy(self, report):
        rows = self.cells(report, "executors")
        assert (
            rows["plain-integer emulator"]["differ"] == rows["HLS C++ (hls4ml), compiled by g++"]["of them differ"] == 0
        )
        assert rows["plain-integer emulator"]["jets"] == 200
        assert rows["plain-integer emulator"]["tensors compared"] == len(self.cells(report, "tensors"))
        assert rows["Verilog, jets and hostile events together"]["jets"] == 500
        assert {tuple(row.values())[1:] for row in self.cells(report, "by_tensor").values()} == {(0, 0, 0)}
        assert not report.differs

    def test_hardware(self, report):
        assert self.cells(report, "resources")["LUT"] == {
            "resource": "LUT",
            "used": 1234,
            "in the part": 1_728_000,
            "share": 0.071,
        }
        assert self.cells(report, "pieces")["d_exact"]["DSP"] == 3
        assert self.cells(report, "published_table")["tiny, this build"]["stage"] == "mapped by Yosys, not placed"
        stages = {row["stage"] for row in self.cells(report, "published_table").values()}
        assert "as placed and routed" in stages

    def test_the_headline_names_the_executors(self, report):
        (figure,) = (each for each in report.headline if each.title == "events that differ")
        assert figure.note == "from QONNX, as integers: Brevitas, HLS C++, emulator, Verilog"

    def test_ends_of_quantisers(self, report, built):
        hostile = json.loads((built / "build" / "tiny" / "csim.json").read_text())["hostile"]
        rows = self.cells(report, "ends")
        for kind, ends in (("saturate", hostile["saturated"]), ("could saturate, but did not", hostile["unsaturated"])):
            for title, sign in (("upper end of", "+"), ("lower end of", "-")):
                named = rows[kind][title].split(", ") if rows[kind][title] != "none" else []
                assert named == [end[:-1] for end in ends if end[-1] == sign]

    def test_working_points_are_those_of_the_integers(self, report, built):
        import numpy as np

        from nanopelican_hls.contract.execution import execute
        from nanopelican_hls.contract.program import read_program
        from nanopelican_hls.jets import port_values, read_jets, sample_path
        from nanopelican_hls.network.model import load_model

        program = read_program(built / "models" / "tiny.onnx")
        jets = read_jets(sample_path(), EVENTS)
        logits = execute(program, port_values(jets, load_model(built / "models" / "tiny.pt").config.network))["logit"][
            :, 0
        ]
        integers = np.ldexp(logits, -program.exponent("logit"))
        for row in self.cells(report, "thresholds").values():
            passed = integers >= row["threshold"]
            assert row["signal efficiency"].value == passed[jets.labels == 1].mean()
            assert row["background efficiency"].value == passed[jets.labels == 0].mean()
            bits = int(row["as bits"].partition("h")[2], 16)
            port = program.outputs[0]
            assert bits == row["threshold"] % (1 << port.bits)

    def test_distributions(self, report):
        rows = self.cells(report, "ranges")
        assert set(rows) == set(self.cells(report, "tensors"))
        for row in rows.values():
            assert row["type from"] <= row["seen from"] <= row["seen to"] <= row["type to"]
            assert sum(row["histogram"].counts) > 0
        assert rows["q_plus"]["clipped low"] == 0
        assert rows["d_exact"]["clipped low"] is None

    def test_origin(self, report, built):
        from nanopelican_hls.files import sha256

        rows = self.cells(report, "checksums")
        assert rows["QONNX file"]["sha256"] == sha256(built / "models" / "tiny.onnx")
        assert rows["card"]["sha256"] is None
        assert self.cells(report, "seeds")["of the model"]["value"] == "1"

    def test_no_calibration_without_a_score(self, report):
        assert report.section("calibration") is None


def test_a_score_has_a_calibration():
    import numpy as np

    from nanopelican_hls.report.sections import calibration

    rng = np.random.default_rng(5)
    scores = rng.integers(0, 129, 2000)
    subject = SimpleNamespace(
        program=SimpleNamespace(outputs=[SimpleNamespace(name="score")], exponent=lambda _: -7),
        labels=(rng.uniform(size=2000) < scores / 128).astype(np.int8),
        integers_of=lambda _: scores,
        said_of_jets="jets",
        command="nanopelican report a",
    )
    found = calibration.section(subject)
    picture, table = found.blocks
    assert len({found.key, picture.key, table.key}) == 3
    assert [row[3] for row in table.rows] == np.histogram(scores / 128, np.linspace(0, 1, 11))[0].tolist()
    measured = picture.panels[0].series[1]
    assert max(abs(x - y) / e for x, y, e in zip(measured.x, measured.y, measured.error, strict=True)) < 4


@pytest.mark.parametrize(
    ("network", "size", "labels"),
    [
        ("trigger-n16", 16, {"with DSP (274)": 18181, "without DSP": 43235}),
        ("trigger-n32", 32, {"with DSP (378), interval 3": 27741, "without DSP, interval 3": 60662}),
    ],
)
def test_published_taggers_stand_beside_rows_of_the_smallest_interval(network, size, labels):
    from nanopelican_hls.report.sections import hardware

    ring = json.loads((Path(__file__).parents[2] / "benchmarks" / "ring.json").read_text())
    config = SimpleNamespace(network=SimpleNamespace(n_constituents=size))
    picture, _ = hardware._published(SimpleNamespace(name=network, config=config, synth=None, classes=()), ring)
    series = picture.panels[0].series
    own = [each for each in series if each.role == "quantised"]
    assert {each.label: each.y for each in own} == {f"{network}, {label}": (lut,) for label, lut in labels.items()}
    assert [each.dashed for each in own] == [False, True]
    assert [each.label for each in series if "interval" in each.label and each not in own] == [
        "Deep Sets, Odagiu et al., interval 2 to 3"
    ]
    for said in ("mapped by Yosys, not placed", "two classes", "placed and routed, five classes", "interval 1"):
        assert said in picture.caption


@pytest.mark.parametrize(("share", "told"), [(0.009, False), (0.25, True)])
def test_a_port_that_clips_is_told(share, told):
    from nanopelican_hls.report.sections import distributions
    from nanopelican_hls.report.tensors import TensorFacts

    facts = {
        "q_plus": TensorFacts(entries=1000, clipped_low=0, clipped_high=int(1000 * share)),
        "q_y": TensorFacts(entries=1000, clipped_low=0, clipped_high=0),
    }
    inputs = [SimpleNamespace(tensor=name, name=f"{name}_in") for name in facts]
    subject = SimpleNamespace(program=SimpleNamespace(inputs=inputs), observed=SimpleNamespace(facts=facts))
    found = distributions._clipping_ports(subject)
    assert [": q_plus (25%)." in each.text for each in found] == [True] * told


def test_the_headline_has_the_figures_of_the_card_beside_those_of_its_jets():
    from nanopelican_hls.report import gather
    from nanopelican_hls.report.content import Column, Measured, Section, Table

    def figures(key, *rows):
        return Table(key, "Figures.", (Column("of"), *(Column("figure") for _ in range(5))), rows, "command")

    def row(name, auc, rejection):
        return (name, Measured(auc, 0.001), 0.9, Measured(rejection, 90.0), 100.0, 0.2)

    here = figures("figures", row("float", 0.98, 900.0), row("quantised, as the firmware", 0.97, 800.0))
    card = figures("card", row("valid, quantised", 0.96, 700.0), row("test, float", 0.95, 600.0))
    card = dataclasses.replace(card, rows=(*card.rows, row("test, quantised", 0.94, 500.0)))
    subject = SimpleNamespace(jets=range(1000), jets_path=Path("some.h5"))

    def headline(*tables):
        return [(each.title, each.text, each.note) for each in gather._of_physics(subject, Section("", "", "", tables))]

    auc, rejection = "AUC", "rejection at 30%"
    own = "quantised, 1,000 jets of some.h5"
    assert headline(here, card) == [
        (auc, "0.9700 ± 0.0010", f"{own}; card: 0.9400 ± 0.0010"),
        (rejection, "800 ± 90", f"{own}; card: 500 ± 90"),
    ]
    assert headline(here) == [(auc, "0.9700 ± 0.0010", own), (rejection, "800 ± 90", own)]
    of_card = "quantised, of the card"
    assert headline(card) == [(auc, "0.9400 ± 0.0010", of_card), (rejection, "500 ± 90", of_card)]
    assert headline() == []


@pytest.mark.usefixtures("undrawn")
class TestMissing:
    """What has not been run says so, with the command."""

    @pytest.fixture
    def bare(self, command, tmp_path):
        assert command("--build", str(tmp_path), "--events", "300") == 0
        content = json.loads((tmp_path / "tiny" / "report.json").read_text())
        return Report.from_json(content, "")

    def test_says_so(self, bare):
        missing = {block.what: block.command for block in blocks(bare, Missing)}
        assert missing["The executors have not been compared"].startswith("nanopelican csim ")
        assert missing["Not synthesised"].startswith("nanopelican synth ")
        assert missing["The model has no card"].startswith("nanopelican train ")
        assert [figure.text for figure in bare.headline if figure.title in ("events that differ", "latency, LUT")] == [
            "not run",
            "not run",
        ]

    @pytest.mark.parametrize("events", [1, 50])
    def test_of_a_few_jets(self, command, tmp_path, events):
        """Some figures do not exist; no page is of other jets than its pictures."""
        assert command("--build", str(tmp_path), "--events", str(events)) == 0
        Report.from_json(json.loads((tmp_path / "tiny" / "report.json").read_text()), "")
        for page in ("report.html", "report.md"):
            assert not re.search(r"\b(nan|inf)\b", (tmp_path / "tiny" / page).read_text())

    def test_nothing_is_written_before_all_is_drawn(self, bare, tmp_path, monkeypatch):
        def fail(*_):
            raise ValueError

        monkeypatch.setattr("nanopelican_hls.report.markdown.markdown", fail)
        with pytest.raises(ValueError, match=r"^$"):
            write_report(bare, tmp_path / "new")
        assert not (tmp_path / "new").exists()

    def test_rerun_writes_the_same(self, command, tmp_path, capsys):
        assert command("--build", str(tmp_path), "--events", "300") == 0
        assert main(["rerun", str(tmp_path / "tiny")]) == 0
        assert "report: equal, 1 files" in capsys.readouterr().out

    def test_run_does_it(self, command, tmp_path, monkeypatch):
        from nanopelican_hls.cli import csim, synth

        ran = []
        for module in (csim, synth):
            monkeypatch.setattr(
                module, "run", lambda args: ran.append(args.config if "config" in args else args.configs) or 0
            )
        assert command("--build", str(tmp_path), "--events", "300", "--run") == 0
        assert len(ran) == 2

    @pytest.mark.parametrize(
        ("raised", "status"), [(KeyboardInterrupt(), 130), (Terminated(), 143), (RtlError("no", remedy="yes"), 2)]
    )
    def test_what_ends_the_run_ends_the_report(self, raised, status, command, tmp_path, monkeypatch):
        from nanopelican_hls.cli import csim

        def fail(_):
            raise raised

        monkeypatch.setattr(csim, "run", fail)
        assert command("--build", str(tmp_path), "--events", "300", "--run") == status

    def test_of_another_file(self, command, built, tmp_path, capsys):
        folder = tmp_path / "tiny"
        folder.mkdir()
        for name in ("csim.json", "synth.json"):
            content = json.loads((built / "build" / "tiny" / name).read_text())
            (folder / name).write_text(json.dumps(content | {"program_sha256": "0" * 64}))
        assert command("--build", str(tmp_path), "--events", "300") == 0
        report = Report.from_json(json.loads((folder / "report.json").read_text()), "")
        stale = [block.what for block in blocks(report, Missing) if "is of another QONNX graph" in block.what]
        assert len(stale) == 2
        (folder / "csim.json").write_text("{")
        assert command("--build", str(tmp_path), "--events", "300") == 2
        assert "csim.json: is not JSON" in capsys.readouterr().err

    def test_a_mismatch_is_told(self, command, built, tmp_path):
        folder = tmp_path / "tiny"
        folder.mkdir()
        content = json.loads((built / "build" / "tiny" / "csim.json").read_text())
        content["mismatches"]["csim_vs_qonnx"] = 3
        content["mismatches_by_tensor"]["csim_vs_qonnx"]["r"] = 3
        (folder / "csim.json").write_text(json.dumps(content))
        assert command("--build", str(tmp_path), "--events", "300") == 1
        report = Report.from_json(json.loads((folder / "report.json").read_text()), "")
        assert report.headline[1].text == "3"
        assert TestContent().cells(report, "by_tensor")["r"]["HLS C++"] == 3


class TestCompare:
    @pytest.mark.usefixtures("undrawn")
    def test_with_itself_nothing_differs(self, folder, tmp_path, command):
        path = str(folder / "report.json")
        assert command("--compare", path, path, "--output", str(tmp_path), source=None) == 0
        report = Report.from_json(json.loads((tmp_path / "report.json").read_text()), "")
        assert report.models == ("tiny (1)", "tiny (2)")
        assert blocks(report, Table) == []
        Page((tmp_path / "report.html").read_text(encoding="utf-8"))

    def test_difference_by_difference(self, folder, tmp_path, command):
        content = json.loads((folder / "report.json").read_text())
        for section in content["sections"]:
            for block in section["blocks"]:
                if block.get("key") == "resources":
                    block["rows"][0][1] += 100
        content["models"] = ["other"]
        other = tmp_path / "other.json"
        other.write_text(json.dumps(content))
        arguments = ["--compare", str(folder / "report.json"), str(other), "--output", str(tmp_path)]
        assert command(*arguments, source=None) == 0
        report = Report.from_json(json.loads((tmp_path / "report.json").read_text()), "")
        (table,) = blocks(report, Table)
        assert table.rows == (("LUT", "used", "1,234", "1,334", 100),)
        roc = next(block for block in blocks(report, Picture) if block.key == "roc")
        assert [series.label for series in roc.panels[0].series] == ["tiny", "other"]

    def test_titles_are_of_both(self, report):
        """Captions and titles: no open bracket, nothing that holds for one of them alone, no column twice."""
        from dataclasses import replace

        from nanopelican_hls.report.comparison import compare

        def changed(block):
            if isinstance(block, Table):
                rows = tuple(
                    tuple(cell + 1 if isinstance(cell, int | float) else cell for cell in row) for row in block.rows
                )
                return replace(block, rows=rows, caption=block.caption.replace("2.5 ns", "3 ns"))
            return block

        other = replace(
            report,
            models=("other",),
            sections=tuple(replace(section, blocks=tuple(map(changed, section.blocks))) for section in report.sections),
        )
        found = compare(report, other, "nanopelican report --compare a b")
        tables = {each.key: each for each in blocks(found, Table)}
        assert {"timing", "bins", "estimate", "ranges", "thresholds"} <= set(tables)
        for table in tables.values():
            titles = [column.title for column in table.columns]
            assert len(titles) == len(set(titles))
            assert table.caption.endswith(": entries that differ")
            assert table.short_title() == table.caption
            assert table.caption.count("(") == table.caption.count(")")
        assert tables["timing"].caption == (
            "Latency and rate on a xcvu13p-flga2577-2-e, with a clock of 2.5 ns (tiny); "
            "Latency and rate on a xcvu13p-flga2577-2-e, with a clock of 3 ns (other): entries that differ"
        )
        assert "logit of at least" not in tables["bins"].caption
        pictures = {each.key: each for each in blocks(found, Picture)}
        (of_mass,) = (each for each in blocks(report, Picture) if each.key == "mass_shapes")
        assert of_mass.compared == "Mass of the background jets that pass, at 1% of the background."
        assert pictures["flips"].caption.endswith("a boost in any direction.")
        assert "publish" not in pictures["published"].caption
        labels = [each.label for each in pictures["published"].panels[0].series]
        assert labels == ["tiny, with DSP (3), interval 2", "other"]

    @pytest.mark.parametrize("arguments", [[], ["trigger-n8", "--compare", "a", "b"]])
    def test_one_of_both(self, arguments, capsys):
        assert main(["report", *arguments]) == 2
        assert "give one of CONFIG and --compare A B" in capsys.readouterr().err


@pytest.mark.usefixtures("undrawn")
def test_unlabelled_jets(tmp_path, command):
    from nanopelican_hls.jets import read_jets, sample_path, write_jets

    jets = read_jets(sample_path(), 50)
    write_jets(tmp_path / "jets.h5", jets[jets.labels == 1], {})
    assert command("--jets", str(tmp_path / "jets.h5"), "--output", str(tmp_path)) == 0
    report = Report.from_json(json.loads((tmp_path / "report.json").read_text()), "")
    assert len([block for block in blocks(report, Missing) if block.what.startswith("Not measured")]) == 3
    assert Path(tmp_path / "report.html").is_file()


@pytest.mark.usefixtures("undrawn", "built")
def test_several_classes(tmp_path):
    from dataclasses import replace

    import numpy as np

    from nanopelican_hls.jets import read_jets, sample_path, write_jets

    jets = read_jets(sample_path(), 400)
    classes = ("g", "q", "W", "Z", "t")
    write_jets(tmp_path / "five.h5", replace(jets, labels=np.arange(400) % 5, classes=classes), {})
    arguments = ["--jets", str(tmp_path / "five.h5"), "--build", str(tmp_path)]
    assert main(["report", "trigger-n16-5c", *arguments]) == 0
    report = Report.from_json(json.loads((tmp_path / "trigger-n16-5c" / "report.json").read_text()), "")
    rows = TestContent().cells(report, "figures")
    assert set(rows) == {f"{n}, {c}" for n in ("float", "quantised, as the firmware") for c in ("mean", *classes)}
    (roc,) = (block for block in blocks(report, Picture) if block.key == "roc")
    assert [series.label for series in roc.panels[0].series] == list(classes)
    Page((tmp_path / "trigger-n16-5c" / "report.html").read_text(encoding="utf-8"))

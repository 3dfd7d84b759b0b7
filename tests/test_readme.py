"""The examples, options and links in the README work."""

import dataclasses
import re
from pathlib import Path

import pytest

from nanopelican_hls.cli import main
from nanopelican_hls.config import FirmwareConfig, TrainingConfig, load_config, to_mapping
from nanopelican_hls.topology.config import NetworkConfig, QuantisersConfig

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder with nothing in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize("page", ["README.md", "docs/training.md"])
def test_the_table_of_models_is_that_of_the_command(page, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["zoo"]) == 0
    assert capsys.readouterr().out.strip() in (ROOT / page).read_text(encoding="utf-8")


def test_the_python_examples_run(elsewhere, capsys):
    chain, hls4ml_alone = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    exec(compile(chain, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-2:] == ["0 of 1000 jets differ, 35 tensors compared", "True"]
    exec(compile(hls4ml_alone, "README.md", "exec"), {})
    assert (elsewhere / "my-project" / "firmware" / "myproject.cpp").exists()


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
    """The link anchors of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere():
    for page in [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                name, _, anchor = target.partition("#")
                linked = page.parent / name if name else page
                assert linked.exists(), f"{page.relative_to(ROOT)}: {target}"
                assert not anchor or anchor in anchors(linked), f"{page.relative_to(ROOT)}: {target}"

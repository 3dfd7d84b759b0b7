"""What the compiled C-simulation depends on."""

from __future__ import annotations

import pytest

from nanopelican_hls.flows.csimulation import _digest

COMMAND = ["g++", "-O3"]


@pytest.fixture
def project(tmp_path):
    for name in (
        "nanopelican_batch.cpp",
        "firmware/nanopelican.cpp",
        "firmware/defines.h",
        "firmware/nnet_utils/nnet_x.h",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("int x;\n")
    return tmp_path


@pytest.mark.parametrize(
    "changed",
    ["nanopelican_batch.cpp", "firmware/nanopelican.cpp", "firmware/defines.h", "firmware/nnet_utils/nnet_x.h"],
)
def test_the_library_is_that_of_every_source(project, changed):
    before = _digest(project, COMMAND)
    (project / changed).write_text("int y;\n")
    assert _digest(project, COMMAND) != before
    (project / changed).write_text("int x;\n")
    assert _digest(project, COMMAND) == before
    (project / changed).rename((project / changed).with_name("other" + (project / changed).suffix))
    assert _digest(project, COMMAND) != before


def test_the_library_is_that_of_the_command_and_of_nothing_else(project):
    before = _digest(project, COMMAND)
    assert _digest(project, ["g++", "-O0"]) != before
    (project / "compile.log").write_text("g++")
    (project / "firmware" / "old.so").touch()
    assert _digest(project, COMMAND) == before

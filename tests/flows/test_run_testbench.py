"""The script of the test bench compiles again what has changed, and nothing else."""

from __future__ import annotations

import os
import subprocess

import pytest

from nanopelican_hls.hls.templates import render

SOURCES = ("firmware/x.cpp", "firmware/defines.h", "firmware/nnet_utils/nnet_y.h", "x_test.cpp")
#: a compiler that notes its calls, and whose programs print "ran"
COMPILER = """#!/bin/sh
echo called >> "{log}"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho ran\\n' > "$2"
chmod +x "$2"
"""


@pytest.fixture
def calls(tmp_path):
    """Runs the script, and counts the calls of the compiler so far."""
    for name in SOURCES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "run_testbench.sh").write_text(render("run_testbench.sh", project="x"))
    compiler, log = tmp_path / "c++", tmp_path / "calls.txt"
    compiler.write_text(COMPILER.format(log=log))
    compiler.chmod(0o755)

    def run():
        environment = os.environ | {"CXX": str(compiler)}
        output = subprocess.check_output(["sh", "run_testbench.sh"], cwd=tmp_path, env=environment, text=True)
        assert output == "ran\n"
        return len(log.read_text().splitlines())

    return run


@pytest.mark.parametrize("changed", SOURCES)
def test_what_changed_is_compiled(calls, tmp_path, changed):
    assert calls() == 1
    assert calls() == 1
    later = (tmp_path / "testbench").stat().st_mtime + 10
    os.utime(tmp_path / changed, (later, later))
    assert calls() == 2

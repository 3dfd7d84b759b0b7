"""``nanopelican`` starts quickly."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

import nanopelican_hls
from nanopelican_hls.cli import main

#: limit of the CPU time
LIMIT_SECONDS = 0.3


def processor_seconds(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = "import sys; from nanopelican_hls.cli import main; sys.exit(main(sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", command, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@pytest.mark.parametrize("arguments", [["--help"], ["csim", "--help"], ["jets", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    assert min(processor_seconds(*arguments) for _ in range(3)) < LIMIT_SECONDS


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"nanopelican-hls {nanopelican_hls.__version__}\n"

"""``nanopelican`` starts quickly."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest

import nanopelican_hls
from nanopelican_hls.cli import main

#: limit of the CPU time, as a multiple of that of Python with a few modules of its own
LIMIT = 6
PYTHON = "import argparse, dataclasses, json, logging, pathlib"
COMMAND = "import sys; from nanopelican_hls.cli import main; sys.exit(main(sys.argv[1:]))"


def processor_seconds(command: str, *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", command, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@pytest.mark.parametrize("arguments", [["--help"], ["csim", "--help"], ["jets", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    python, found = (min(processor_seconds(*words) for _ in range(3)) for words in ([PYTHON], [COMMAND, *arguments]))
    assert found < LIMIT * python


#: commands that need no network, and so no torch: they only read JSON or a QONNX file, or find at once that an argument
#: is wrong
LIGHT = [
    "--help",
    "--version",
    "completion bash",
    "zoo",
    "zoo trigger-n8",
    "check trigger-n6",
    "estimate trigger-n6",
    "jets show none.h5",
    "jets compare none.h5 none.h5",
    "kinematics trigger-n6 --jets none.h5",
    "report --compare none.json none.json",
    "rerun none",
    "csim none.yaml",
    "train none.yaml --train none.h5 --valid none.h5",
    "precision none.yaml trigger-n6 --jets none.h5 --budget 0.5",
]
#: in one process, as torch once imported stays: names of the commands that import it
IMPORTERS = """
import json, sys
from nanopelican_hls.cli import main
for words in json.loads(sys.argv[1]):
    try:
        main(words.split())
    except SystemExit:
        pass
    if {"torch", "sklearn", "hls4ml"} & set(sys.modules):
        sys.exit(f"imported by: {words}")
"""


def test_commands_that_need_no_network_do_not_import_torch(tmp_path):
    command = [sys.executable, "-c", IMPORTERS, json.dumps(LIGHT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"nanopelican-hls {nanopelican_hls.__version__}\n"

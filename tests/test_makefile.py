"""Values with spaces reach the command as one word."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("target", "variables"),
    [
        ("csim", ("BUILD", "JETS", "CONFIG")),
        ("synth", ("BUILD", "JETS", "CONFIG")),
        ("bench", ("BUILD", "CONFIG")),
        ("report", ("BUILD", "JETS", "CONFIG")),
        ("bench-synth", ("BUILD", "RUNS")),
        ("train", ("CONFIG", "TRAIN", "VALID", "TEST")),
        ("fuzz", ("BUILD",)),
        ("clean", ("BUILD",)),
    ],
)
def test_spaces(target, variables):
    values = [f"{name}=my {name.lower()}" for name in variables]
    result = subprocess.run(
        ["make", "-n", target, "READY=", *values], cwd=ROOT, capture_output=True, text=True, check=True
    )
    words = shlex.split(result.stdout)
    for name in variables:
        assert f"my {name.lower()}" in words

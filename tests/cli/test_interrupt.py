"""Ctrl-C: commands end soon, with status 130, and leave neither processes nor temporary files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nanopelican_hls.jets import read_jets, sample_path, write_jets

#: where pytest runs in the background, a child would ignore the signal
START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from nanopelican_hls.cli import main; sys.exit(main())"
)
LIMIT_S = 600
#: what torch and onnxruntime leave in the folder for temporary files
OF_OTHERS = ("torchinductor_", ".ses")

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux")


def marked(mark: str) -> list[str]:
    """Command lines of all processes with this in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def interrupted(words: list[str], folder: Path, ready) -> tuple[int, str, float]:
    """Exit status, stderr, and seconds from the signal to the end."""
    mark = f"NANOPELICAN_TEST={os.getpid()}-{time.monotonic_ns()}"
    name, value = mark.split("=")
    environment = os.environ | {name: value, "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", START, *words], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )
    start = time.monotonic()
    try:
        while not ready(marked(mark)):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() - start < LIMIT_S
            time.sleep(0.05)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)  # to it alone, as `kill -INT` does; not to the processes it has started
        _, errors = process.communicate(timeout=120)
        seconds = time.monotonic() - sent
        assert marked(mark) == []
    finally:
        process.kill()
        process.wait()
    left = [path.name for path in (folder / "tmp").iterdir()]
    assert [name for name in left if not name.startswith(OF_OTHERS)] == []
    return process.returncode, errors, seconds


def unfinished(folder: Path) -> list[Path]:
    """Files with the hidden names under which ours are written."""
    return [path for path in folder.rglob(".*") if f".{os.uname().nodename}." in path.name]


def test_csim_that_compiles(tmp_path):
    status, errors, seconds = interrupted(
        ["csim", "trigger-n6", "--events", "100"], tmp_path, lambda all_: any("cc1plus" in each for each in all_)
    )
    assert (status, errors.splitlines()[-1]) == (130, "interrupted")
    assert "Traceback" not in errors
    assert seconds < 60
    assert not unfinished(tmp_path)
    assert not list(tmp_path.rglob("csim.json")) + list(tmp_path.rglob("manifest.json"))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_train(jobs, tmp_path):
    write_jets(tmp_path / "jets.h5", read_jets(sample_path(), 2000), {})
    words = ["train", "trigger-n6", "--train", "jets.h5", "--valid", "jets.h5", "--jobs", jobs, "--seeds", "1", "2"]
    status, errors, seconds = interrupted(words, tmp_path, lambda _: any(tmp_path.rglob("last.pt")))
    assert status == 130
    assert "interrupted" in errors  # bars of workers may be written around it
    assert "Traceback" not in errors
    assert seconds < 60
    assert not unfinished(tmp_path)
    assert not (tmp_path / "models").exists()

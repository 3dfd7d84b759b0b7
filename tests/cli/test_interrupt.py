"""Ctrl-C and SIGTERM: commands end soon, with status 130 or 143, and leave neither processes nor temporary files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rtl_extra import MISSING

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


#: what a command says, and its status
ENDED = {signal.SIGINT: ("interrupted", 130), signal.SIGTERM: ("terminated", 143)}


def marked(mark: str) -> dict[int, str]:
    """Command lines of all processes with this in their environment."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found[int(process.name)] = words
        except OSError:
            continue
    return found


def end(words: list[str], folder: Path, ready, number: int = signal.SIGINT, everywhere: bool = False) -> str:
    """Send a signal to a command once it is ready, and check how it ends; returns stderr.

    The signal goes to the command alone, as of `kill`, and not to the processes it has started; or to those of its
    group too, as of `timeout` and of batch systems.
    """
    mark = f"NANOPELICAN_TEST={os.getpid()}-{time.monotonic_ns()}"
    name, value = mark.split("=")
    environment = os.environ | {name: value, "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", START, *words],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    start = time.monotonic()
    try:
        while not ready(marked(mark).values()):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() - start < LIMIT_S
            time.sleep(0.05)
        sent = time.monotonic()
        (os.killpg if everywhere else os.kill)(process.pid, number)
        _, errors = process.communicate(timeout=120)
        seconds = time.monotonic() - sent
        assert marked(mark) == {}
    finally:
        process.kill()
        process.wait()
    left = [path.name for path in (folder / "tmp").iterdir()]
    assert [name for name in left if not name.startswith(OF_OTHERS)] == []
    said, status = ENDED[number]
    assert process.returncode == status, errors
    assert said in errors  # bars of workers may be written around it
    assert "Traceback" not in errors
    assert seconds < 60
    assert not unfinished(folder)
    return errors


def unfinished(folder: Path) -> list[Path]:
    """Files with the hidden names under which ours are written."""
    return [path for path in folder.rglob(".*") if f".{os.uname().nodename}." in path.name]


def compiles(commands) -> bool:
    return any("cc1plus" in each for each in commands)


@pytest.mark.parametrize("number", ENDED, ids=lambda number: signal.Signals(number).name)
def test_csim_that_compiles(number, tmp_path):
    errors = end(["csim", "trigger-n6", "--events", "100"], tmp_path, compiles, number)
    assert errors.splitlines()[-1] == ENDED[number][0]
    assert not list(tmp_path.rglob("csim.json")) + list(tmp_path.rglob("manifest.json"))


@pytest.mark.skipif(bool(MISSING), reason=f"needs the extra rtl: {', '.join(MISSING)}")
def test_synth_that_compiles(tmp_path):
    words = ["synth", "trigger-n6", "--flow", "open", "--events", "100"]
    end(words, tmp_path, compiles, signal.SIGTERM)
    assert not list(tmp_path.rglob("synth.json")) + list(tmp_path.rglob("manifest.json"))


@pytest.mark.parametrize(
    ("jobs", "number", "everywhere"),
    [("1", signal.SIGINT, False), pytest.param("2", signal.SIGTERM, True, marks=pytest.mark.long)],
)
def test_train(jobs, number, everywhere, tmp_path):
    write_jets(tmp_path / "jets.h5", read_jets(sample_path(), 2000), {})
    words = ["train", "trigger-n6", "--train", "jets.h5", "--valid", "jets.h5", "--jobs", jobs, "--seeds", "1", "2"]
    end(words, tmp_path, lambda _: any(tmp_path.rglob("last.pt")), number, everywhere)
    assert not (tmp_path / "models").exists()

"""When a process is killed or interrupted, the processes that it started end too."""

import os
import signal
import subprocess
import sys
import time

import pytest

from nanopelican_hls.processes import run_child, worker_pool

CHILD = (
    "from nanopelican_hls.processes import end_with_parent; import time; "
    "end_with_parent(); print('ready', flush=True); time.sleep(60)"
)
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_a_child_ends_with_its_parent():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
        # the child holds the other end of the pipe, which is closed when it is gone
        rest, _ = parent.communicate(timeout=20)
    assert rest == ""


@pytest.fixture
def interrupts():
    """An interrupt after a moment, as by Ctrl-C."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    before = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 1)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
    signal.signal(signal.SIGINT, handler)


@pytest.mark.usefixtures("interrupts")
def test_an_interrupted_command_ends_with_what_it_has_started(tmp_path):
    """And has time to remove its temporary files."""
    script = f"trap 'rm {tmp_path}/temporary; exit' TERM; touch {tmp_path}/temporary; sleep 60 & wait"
    with (tmp_path / "log").open("w") as log, pytest.raises(KeyboardInterrupt):
        run_child(["sh", "-c", script], stdout=log)
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_command_as_usual():
    result = run_child(["sh", "-c", "cat; echo out; echo err >&2; exit 3"], stdout=-1, stderr=-1, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")


@pytest.mark.usefixtures("interrupts")
def test_interrupted_workers_end_at_once():
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), worker_pool(2) as pool:
        list(pool.map(time.sleep, [300] * 4))
    assert time.monotonic() - start < 60

"""When a process is killed, the processes that it started end too."""

import subprocess
import sys

import pytest

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

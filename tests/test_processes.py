"""When a process is killed or interrupted, the processes that it started end too."""

import os
import signal
import subprocess
import sys
import threading
import time
import weakref

import pytest

from nanopelican_hls.processes import Terminated, interruptible, raise_swallowed, run_child, worker_pool

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


@pytest.fixture
def heard():
    """SIGINT as in a terminal; a background job ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def swallowed(number, then=lambda: None):
    """A signal during an import, whose exception does not arrive."""
    try:
        os.kill(os.getpid(), number)
        time.sleep(5)
    except KeyboardInterrupt:
        then()


def fail_to_initialise():
    raise ImportError("initialization failed")


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
@pytest.mark.usefixtures("heard")
class TestSwallowed:
    def test_the_next_step_ends(self, number, raised, tmp_path):
        def command():
            swallowed(number)
            run_child(["touch", str(tmp_path / "file")])

        with pytest.raises(raised), interruptible():
            command()
        assert not any(tmp_path.iterdir())
        raise_swallowed()  # no more

    def test_the_end_of_the_command_is_not_a_success(self, number, raised):
        with pytest.raises(raised), interruptible():
            swallowed(number)

    def test_what_a_library_raises_instead_is_replaced(self, number, raised):
        with pytest.raises(raised), interruptible():
            swallowed(number, then=fail_to_initialise)


def test_other_errors_stay_as_they_are():
    with pytest.raises(ImportError), interruptible():
        fail_to_initialise()


@pytest.mark.usefixtures("heard")
def test_an_interrupt_in_a_callback_is_not_reported(capsys):
    """Python ignores it there, and would print a traceback."""

    class Removed:
        pass

    def command():
        removed = Removed()
        _ = weakref.ref(removed, lambda _: os.kill(os.getpid(), signal.SIGINT))
        del removed
        raise_swallowed()

    with pytest.raises(KeyboardInterrupt), interruptible():
        command()
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("heard")
def test_an_interrupt_is_of_the_main_thread():
    """One that shows progress goes on until it is told to end."""
    failed = []

    def show():
        try:
            raise_swallowed()
        except KeyboardInterrupt as error:
            failed.append(error)

    def command():
        swallowed(signal.SIGINT)
        thread = threading.Thread(target=show)
        thread.start()
        thread.join()

    with pytest.raises(KeyboardInterrupt), interruptible():
        command()
    assert failed == []

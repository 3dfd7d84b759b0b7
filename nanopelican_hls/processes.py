"""Child processes that do not outlive their parent, and end with it when the user interrupts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from nanopelican_hls.errors import WorkerError

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor


class Terminated(KeyboardInterrupt):
    """SIGTERM has come, from a CI or batch system; what cleans up after Ctrl-C cleans up after this."""


#: prctl(2): the signal that a process gets when its parent dies
PR_SET_PDEATHSIG = 1
#: time that a tool has for removing its temporary files
STOP_TIMEOUT_S = 5.0
#: Yosys with a script, as a program for Python: it writes to stdout, does not free its memory, and may be killed for
#: using too much, so it gets a process of its own
YOSYS = (
    "import sys; from nanopelican_hls.processes import end_with_parent; end_with_parent(); "
    "from pyosys import libyosys; libyosys.run_pass('script ' + sys.argv[1], libyosys.Design())"
)


def end_with_parent() -> None:
    """Have this process killed when its parent ends, for whatever reason; no effect except on Linux."""
    import ctypes

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def obey_parent() -> None:
    """Leave Ctrl-C, which a terminal sends to all processes, to the parent; it ends this worker, which cleans up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


#: what a signal has raised in the block of `interruptible`
_raised: type[KeyboardInterrupt] | None = None


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt in a block when SIGINT comes, and `Terminated` when SIGTERM does.

    A library that is being imported may swallow it, or raise an error of its own instead. The first is raised again by
    `raise_swallowed`, at the end of the block at the latest, the second is replaced. While cleaning up after SIGTERM,
    another one changes nothing.
    """
    global _raised
    if threading.current_thread() is not threading.main_thread():  # only the main thread can have a handler
        yield
        return

    def interrupt(number: int, _: object) -> None:
        global _raised
        _raised = Terminated if number == signal.SIGTERM else KeyboardInterrupt
        if number == signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)
        raise _raised

    report = sys.unraisablehook

    def report_others(unraisable: sys.UnraisableHookArgs) -> None:
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):  # which is swallowed, and will be raised again
            report(unraisable)

    sys.unraisablehook = report_others
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
        raise_swallowed()
    except Exception as error:
        if _raised:
            raise _raised from error
        raise
    finally:
        _raised, sys.unraisablehook = None, report
        for number, handler in before.items():
            signal.signal(number, handler)


def raise_swallowed() -> None:
    """Raise what a signal has raised before in the block of `interruptible`; it ends the command wherever it is.

    In another thread, such as one that reads the progress of workers, nothing is raised.
    """
    if _raised and threading.current_thread() is threading.main_thread():
        raise _raised


def run_child(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run a command as `subprocess.run` does, without input; interrupted, it ends with all that it has started.

    Parameters
    ----------
    command : sequence of str
    **options
        Of `subprocess.Popen`.
    """
    raise_swallowed()
    # a group of its own, since drivers such as g++ and make start the processes that do the work
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0, **options) as process:
        try:
            output, errors = process.communicate()
        except BaseException:
            stop_group(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def stop_group(process: subprocess.Popen[Any], timeout_s: float = STOP_TIMEOUT_S) -> None:
    """End a process that leads a group, and the group: politely first, so that tools remove their temporary files."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, number)
            process.wait(timeout_s)
            return


@contextlib.contextmanager
def worker_pool(
    jobs: int,
    initializer: Callable[..., object] | None = None,
    initargs: tuple[Any, ...] = (),
    *,
    start: Literal["spawn", "fork"] = "spawn",
) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with this one; if the block fails, they end at once.

    Not `multiprocessing.Pool`, which waits for ever for the result of a worker that was killed.

    Parameters
    ----------
    jobs : int
        Number of processes.
    initializer, initargs
        Called in each process first.
    start : str
        ``fork`` where workers inherit what cannot be pickled, at the first call that is submitted.

    Raises
    ------
    WorkerError
        If a worker is killed.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    raise_swallowed()
    context = multiprocessing.get_context(start)
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_begin_worker, initargs=(initializer, initargs)
    ) as pool:
        try:
            yield pool
        except BrokenProcessPool as error:
            raise WorkerError(
                "a worker process was killed before it had finished",
                remedy="if memory ran out, end other programs, or start fewer jobs; if not, report the command",
            ) from error
        except BaseException:
            workers = list((pool._processes or {}).values())  # terminate_workers() is new in Python 3.14
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.terminate()
            raise


def _begin_worker(initializer: Callable[..., object] | None, initargs: tuple[Any, ...]) -> None:
    end_with_parent()
    obey_parent()
    if initializer:
        initializer(*initargs)

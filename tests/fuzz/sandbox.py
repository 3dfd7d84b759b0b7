"""A child process that reads files one after another, within limits, and says what became of each."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from nanopelican_hls.errors import NanopelicanError

#: processor time for a file; and wall-clock time, for what waits instead: a machine under load is slow
LIMIT_S, WAIT_S = 30, 600
#: memory that a file may take, beyond what the libraries do
LIMIT_BYTES = 3 * 2**30
#: files per child, since libraries keep some memory
FILES_PER_CHILD = 500
#: what no reader does: programs, connections, and changes of files
FORBIDDEN = (
    *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.Popen", "pty.spawn"),
    *("socket.connect", "socket.bind", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.chown"),
    *("os.link", "os.symlink", "os.truncate", "os.kill", "shutil.rmtree", "shutil.move", "webbrowser.open"),
)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True)
class Outcome:
    """What became of a case: ``works``, ``refused`` by an error of ours with a remedy, or else a finding.

    Attributes
    ----------
    kind : for a finding, what it is and where, the same for all cases of one cause.
    text : details, such as a traceback.
    """

    kind: str
    text: str = ""

    @property
    def is_finding(self) -> bool:
        return self.kind not in ("works", "refused")


class Sandbox:
    """Runs ``read(folder)`` on the files of a case; the folder is the only one that the child knows."""

    def __init__(self, read: Callable[[Path], None]) -> None:
        self._read = read
        self._child: multiprocessing.process.BaseProcess | None = None
        self._left = 0
        self._temporary = tempfile.TemporaryDirectory(prefix="fuzz-")
        self._folder = Path(self._temporary.name)

    def run(self, files: Mapping[str, bytes]) -> Outcome:
        for name, content in files.items():
            (self._folder / name).write_bytes(content)
        if self._child is None or not self._left:
            self._restart()
        self._left -= 1
        try:
            outcome = self._answer()
            new = sorted({path.name for path in self._folder.iterdir()} - set(files))
            return Outcome(f"files were written: {', '.join(new)}") if new else outcome
        finally:
            for path in self._folder.iterdir():
                path.unlink()

    def close(self) -> None:
        self._stop()
        self._temporary.cleanup()

    def _answer(self) -> Outcome:
        self._pipe.send(None)
        process, start = psutil.Process(self._child.pid), time.monotonic()
        used = sum(process.cpu_times()[:2])
        while not self._pipe.poll(1):
            if sum(process.cpu_times()[:2]) - used > LIMIT_S or time.monotonic() - start > WAIT_S:
                self._stop()
                return Outcome(f"hangs: no answer in {LIMIT_S} s of processor time")
        try:
            return self._pipe.recv()
        except EOFError:
            self._child.join()
            status = self._child.exitcode
            self._stop()
            name = signal.Signals(-status).name if status < 0 else f"status {status}"
            return Outcome(f"the process ends: {name}")

    def _restart(self) -> None:
        self._stop()
        context = multiprocessing.get_context("fork")
        self._pipe, other = context.Pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads; the child starts none
            self._child = context.Process(target=_serve, args=(self._pipe, other, self._read, self._folder))
            self._child.start()
        other.close()
        self._left = FILES_PER_CHILD

    def _stop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.join()
            self._pipe.close()
            self._child = None


def _serve(parent, pipe, read, folder: Path) -> None:
    parent.close()  # so that the end of the parent is the end of the child
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the run
    os.chdir(folder)
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)
    logging.disable()
    warnings.simplefilter("ignore")
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + LIMIT_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # libraries in C write nothing either
    forbidden: list[str] = []

    def watch(event: str, arguments: tuple) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES
        if (writes and arguments[0] != os.devnull) or event in FORBIDDEN:
            forbidden.append(f"{event} {arguments[0]!r}")
            raise PermissionError(f"the sandbox does not allow {event}")

    sys.addaudithook(watch)
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            pipe.recv()
            forbidden.clear()
            outcome = _outcome(read, folder)
            pipe.send(Outcome(f"does what no reader does: {forbidden[0]}", outcome.text) if forbidden else outcome)


def _outcome(read, folder: Path) -> Outcome:
    try:
        read(folder)
    except NanopelicanError as error:
        if error.remedy:
            return Outcome("refused", str(error))
        return Outcome(f"{_place(error)}: an error without a remedy", str(error))
    except BaseException as error:
        with contextlib.suppress(MemoryError):
            return Outcome(f"{_place(error)}: {type(error).__name__}", traceback.format_exc()[-4000:])
        return Outcome("MemoryError")
    return Outcome("works")


def _place(error: BaseException) -> str:
    """The innermost function of ours on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "nanopelican_hls" in frame.filename] or frames
    return f"{'/'.join(Path(ours[-1].filename).parts[-2:])}, {ours[-1].name}"

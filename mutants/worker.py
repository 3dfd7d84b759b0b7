"""Runs pytest in forks of a process that has imported heavy libraries (its arguments), longer work than most tests.

One request a line of stdin, in JSON: folder, arguments of pytest, environment, time limit in seconds or null, log file.
The answer is the exit status, or null after the time limit. Nothing of the package itself is imported before the fork.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import sys
import time
from typing import Any

import pytest

#: address space of the tests in bytes: a fault may make them fill the memory
MEMORY = 24 * 2**30


def run_tests(request: dict[str, Any]) -> int | None:
    """The exit status of pytest in a fork; None if it was stopped at the time limit."""
    child = os.fork()
    if child == 0:
        _run_in_child(request)
    limit = float("inf") if request["limit"] is None else request["limit"]
    started, ended = time.monotonic(), 0
    while not ended and time.monotonic() - started < limit:
        ended, status = os.waitpid(child, os.WNOHANG)
        if not ended:
            time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # and what the tests have left running
    if ended:
        return os.waitstatus_to_exitcode(status)
    os.waitpid(child, 0)
    return None


def _run_in_child(request: dict[str, Any]) -> None:
    status = 3
    try:
        os.setsid()
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        empty = os.open(os.devnull, os.O_RDONLY)
        for descriptor, source in ((0, empty), (1, log), (2, log)):
            os.dup2(source, descriptor)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        os.chdir(request["folder"])
        os.environ.update(request["environment"])
        sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in request["environment"]
        sys.path.insert(0, request["folder"])
        status = int(pytest.main(request["arguments"]))
    finally:
        with contextlib.suppress(ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def main() -> None:
    sys.path.pop(0)  # this folder
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print
    for name in sys.argv[1:]:
        with contextlib.suppress(ImportError):  # of an extra
            importlib.import_module(name)
    gc.freeze()  # the tests' collections leave alone what they share
    for line in sys.stdin:
        answers.write(json.dumps(run_tests(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()

"""Exit statuses of the command line (docs/cli.md)."""

from __future__ import annotations

import signal
from enum import IntEnum


class ExitStatus(IntEnum):
    """How a command has ended."""

    #: done, and whatever was checked is right
    OK = 0
    #: done, and something that was checked is wrong: integers that differ, a statement that is refuted
    WRONG = 1
    #: not done: an argument, a file or a tool cannot be used; the message says what to do
    BAD_INPUT = 2
    #: interrupted, by Ctrl-C, as shells count it
    INTERRUPTED = 128 + signal.SIGINT
    #: ended by SIGTERM, which CI and batch systems send
    TERMINATED = 128 + signal.SIGTERM
    #: what read the output has ended, as in ``nanopelican ... | head``
    CUT_OFF = 128 + signal.SIGPIPE

    @classmethod
    def of_check(cls, wrong: object) -> ExitStatus:
        """The status of a check that has found something wrong, or nothing."""
        return cls.WRONG if wrong else cls.OK

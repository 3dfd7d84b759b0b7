"""Child processes that do not outlive their parent."""

from __future__ import annotations

import ctypes
import signal
import sys

#: prctl(2): the signal that a process gets when its parent dies
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have this process killed when its parent ends, for whatever reason; no effect except on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

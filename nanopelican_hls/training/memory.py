"""Memory allocation of a training process."""

from __future__ import annotations

import ctypes

#: parameters of glibc's mallopt (malloc.h)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST = (1 << 31) - 1


def keep_freed_memory() -> None:
    """Let glibc keep freed memory for the next batch; does nothing without glibc.

    By default arrays of a few megabytes are returned to the kernel and mapped again, page by page, in every training
    step, which costs a quarter of its time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        mallopt(M_TRIM_THRESHOLD, LARGEST)

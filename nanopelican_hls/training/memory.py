"""Memory of a training process."""

from __future__ import annotations

import ctypes

#: parameters of glibc's mallopt (malloc.h)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST = (1 << 31) - 1


def keep_freed_memory() -> None:
    """Let glibc keep what is freed, for the next batch; without glibc nothing happens.

    By default arrays of some megabytes go back to the kernel and come again, page by page, in every step of a training:
    a fourth of its time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        mallopt(M_TRIM_THRESHOLD, LARGEST)

"""Files that are whole or not there: whatever is written goes to a temporary name first, and is then renamed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from nanopelican_hls.errors import NanopelicanError


def write_atomically(path: Path, content: bytes | str, error: type[NanopelicanError]) -> None:
    """Write a file in one step: a kill, or a full disk, leaves what was there before.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    content : bytes or str
        Text is written as UTF-8.
    error : type of NanopelicanError
        Raised, with the reason, if the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    except OSError as reason:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise error(
            f"cannot be written ({reason.strerror})",
            where=str(path),
            remedy="free some space, or choose another folder",
        ) from reason

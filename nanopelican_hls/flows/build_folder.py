"""Build folders: one run at a time, and unchanged files keep their time stamps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.files import make_folder, one_at_a_time, require_exec, write_atomically


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a build folder, which is created if needed; see `files.one_at_a_time`.

    Raises
    ------
    SynthesisError
        If another run holds the lock; or if the folder cannot be made, has a name that is not text, or is on a file
        system that runs no programs.
    """
    _make(folder)
    with one_at_a_time(folder, SynthesisError):
        yield


def _make(folder: Path) -> None:
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError as error:
        raise SynthesisError(
            "has a name that is not UTF-8", where=repr(str(folder)), remedy="choose another folder: --build FOLDER"
        ) from error
    make_folder(folder, SynthesisError, "--build")
    require_exec(folder, SynthesisError)


def write_if_changed(path: Path, content: bytes) -> bool:
    """Write a file unless it has this content already; returns whether it was written."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content, SynthesisError)
    return True


def mirror(files: Mapping[str, bytes], folder: Path, patterns: Iterable[str]) -> None:
    """Write files, by relative path, and remove other files that match the patterns."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            if path.is_file() and path.relative_to(folder).as_posix() not in files:
                path.unlink()
    for name, content in files.items():
        write_if_changed(folder / name, content)


def digest(folder: Path, patterns: Iterable[str], *words: str) -> str:
    """Digest of words, and of names and contents of the files that match the patterns."""
    result = hashlib.sha256("\0".join(words).encode())
    for path in sorted({p for pattern in patterns for p in folder.glob(pattern) if p.is_file()}):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        result.update(f"\0{path.relative_to(folder).as_posix()}\0{content}".encode())
    return result.hexdigest()

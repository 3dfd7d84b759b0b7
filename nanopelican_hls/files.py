"""Atomic writing of files: to a temporary name first, then renamed."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import itertools
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from nanopelican_hls.errors import NanopelicanError

#: in a folder that is locked: names the process that holds, or last held, the lock
LOCK = ".run.lock"
_count = itertools.count()


@contextlib.contextmanager
def written_whole(path: Path, error: type[NanopelicanError]) -> Iterator[Path]:
    """Yield a temporary path to write to; it is renamed to `path` at the end, or removed if the block fails.

    Parameters
    ----------
    path : Path
        In an existing folder, to which other machines may write too.
    error : type of NanopelicanError
        Raised, with the reason, if the file cannot be written.
    """
    temporary = _temporary(path)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as reason:
        raise error(
            f"cannot be written ({reason.strerror or reason})",
            where=str(path),
            remedy="free some space, or choose another folder",
        ) from reason
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def make_folder(path: Path, error: type[NanopelicanError], option: str = "--output") -> None:
    """Make a folder for output, and those above it, if they are not there.

    Parameters
    ----------
    path : Path
    error : type of NanopelicanError
    option : str
        Of the command line, that names the folder.

    Raises
    ------
    NanopelicanError
        Of the type of `error`, if it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise error(
            f"cannot be made ({reason.strerror})", where=str(path), remedy=f"choose another folder: {option} FOLDER"
        ) from reason


def try_folder(path: Path, error: type[NanopelicanError]) -> None:
    """See before long work that `make_folder` will make a folder; arguments and errors are the same, nothing stays."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    make_folder(path, error)
    for folder in missing:
        with contextlib.suppress(OSError):  # another process may use it by now
            folder.rmdir()


@contextlib.contextmanager
def folder_written_whole(path: Path, error: type[NanopelicanError]) -> Iterator[Path]:
    """Yield a new folder to write to; it takes the place of `path` at the end, or is removed if the block fails.

    Parameters
    ----------
    path : Path
        A folder that is replaced, or does not exist; folders above it are made.
    error : type of NanopelicanError
        Raised, with the reason, if the folder cannot be written.
    """
    temporary = _temporary(path)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        _take_place(temporary, path)
    except OSError as reason:
        raise error(
            f"cannot be written ({reason.strerror or reason})",
            where=str(path),
            remedy="free some space, or choose another folder",
        ) from reason
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _take_place(new: Path, path: Path) -> None:
    """Rename a folder; what was there is removed, even if another process puts it there meanwhile."""
    while True:
        try:
            new.rename(path)
            return
        except OSError as reason:
            if reason.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        old = _temporary(path)
        with contextlib.suppress(FileNotFoundError):
            path.rename(old)
        shutil.rmtree(old, ignore_errors=True)


def _temporary(path: Path) -> Path:
    """A hidden name beside a file or folder, which no other process, machine or thread uses."""
    return path.with_name(f".{path.name}.{os.uname().nodename}.{os.getpid()}.{next(_count)}")


def write_atomically(path: Path, content: bytes | str, error: type[NanopelicanError]) -> None:
    """Write a file atomically: if the process is killed or the disk is full, the old content stays.

    Parameters
    ----------
    path, error
        As for `written_whole`.
    content : bytes or str
        Text is written as UTF-8.
    """
    with written_whole(path, error) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def one_at_a_time(folder: Path, error: type[NanopelicanError], option: str = "--build") -> Iterator[None]:
    """Lock an existing folder, by the file `LOCK` in it.

    The operating system releases the lock when the processes that hold it have ended, however they end: this one, and
    children that inherit open files.

    Parameters
    ----------
    folder : Path
    error : type of NanopelicanError
        Raised if another run holds the lock.
    option : str
        Of the command line, that names the folder.
    """
    # not truncated: until we hold the lock, the file names the process that does
    with (folder / LOCK).open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise error(
                f"is in use by another run (process {file.read().strip() or 'unknown'})",
                where=str(folder),
                remedy=f"wait for it, or choose another folder ({option} FOLDER)",
            ) from None
        os.set_inheritable(file.fileno(), True)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def sha256(path: Path) -> str:
    """Checksum of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files into a folder that is not read yet, by their places in it; an `OSError` is the caller's."""
    for name, text in texts.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def project_folder(folder: Path, error: type[NanopelicanError]) -> Path:
    """The absolute path of a folder that will be replaced as a whole; a symbolic link is followed, not replaced.

    Parameters
    ----------
    folder : Path
    error : type of NanopelicanError
        Raised if it is the current folder, or the name is not text, since other tools write it into files.
    """
    path = Path(folder)
    path = path.resolve() if path.is_symlink() else Path(os.path.abspath(path))  # noqa: PTH100, for ".."
    if path == Path.cwd() or path in Path.cwd().parents:
        raise error(
            "is the current folder or contains it, and would be replaced",
            where=str(folder),
            remedy="choose another folder",
        )
    try:
        str(path).encode()
    except UnicodeEncodeError as reason:
        raise error("has a name that is not UTF-8", where=repr(str(folder)), remedy="choose another folder") from reason
    return path


def make_writable(folder: Path) -> None:
    """Let the user write whatever is in a folder, which copies of a read-only installation would not allow."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


def require_exec(folder: Path, error: type[NanopelicanError]) -> None:
    """Raise an error if programs and libraries built in a folder could not run, since it is mounted with noexec."""
    if os.statvfs(folder).f_flag & os.ST_NOEXEC:
        raise error(
            "is on a file system mounted with noexec, which runs no programs",
            where=str(folder),
            remedy="build in another folder",
        )

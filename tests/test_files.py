import errno
from pathlib import Path

import pytest

from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import write_atomically


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "first", FirmwareError)
    write_atomically(path, b"second", FirmwareError)
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, "old", FirmwareError)

    def full(self, content):
        with self.open("wb") as file:
            file.write(content[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(FirmwareError, match=r"file: cannot be written \(No space left on device\)\n  remedy: free"):
        write_atomically(path, "new", FirmwareError)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_an_error_of_ours(tmp_path):
    with pytest.raises(FirmwareError, match="No such file or directory"):
        write_atomically(tmp_path / "none" / "file", "x", FirmwareError)

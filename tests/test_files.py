import errno
from pathlib import Path
from types import SimpleNamespace

import pytest

from nanopelican_hls.errors import FirmwareError
from nanopelican_hls.files import folder_written_whole, make_writable, write_atomically, write_texts, written_whole


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


def begin(path, error):
    with written_whole(path, FirmwareError) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize(
    ("error", "raised", "message"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt, None),
        (OSError("no HDF5"), FirmwareError, r"cannot be written \(no HDF5\)"),
    ],
)
def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(error, raised, message, tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "old", FirmwareError)
    with pytest.raises(raised, match=message):
        begin(path, error)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_machines_write_to_files_of_their_own(tmp_path, monkeypatch):
    path = tmp_path / "file"
    with written_whole(path, FirmwareError) as one:
        monkeypatch.setattr("os.uname", lambda: SimpleNamespace(nodename="another"))
        with written_whole(path, FirmwareError) as other:
            assert one != other
            one.write_text("one")
            other.write_text("other")
        assert path.read_text() == "other"
    assert path.read_text() == "one"


def test_copies_of_a_read_only_installation_can_be_written(tmp_path):
    file, outside = tmp_path / "folder" / "file", tmp_path / "outside"
    file.parent.mkdir()
    for path in (file, outside):
        path.write_text("")
        path.chmod(0o444)
    (file.parent / "link").symlink_to(outside)
    file.parent.chmod(0o555)
    make_writable(file.parent)
    assert (file.parent.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o755, 0o644)
    assert outside.stat().st_mode & 0o777 == 0o444


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "folder"
    for name in ("first", "second"):
        with folder_written_whole(path, FirmwareError) as temporary:
            write_texts(temporary, {f"{name}/file": name})
    assert [each.name for each in path.iterdir()] == ["second"]
    assert [each.name for each in path.parent.iterdir()] == ["folder"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "folder"
    write_texts(path, {"old": ""})
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(FirmwareError, match="cannot be written"), folder_written_whole(path, FirmwareError):
        raise full
    assert [each.name for each in path.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [path]


def test_two_that_write_one_folder_share_nothing(tmp_path):
    path = tmp_path / "folder"
    with folder_written_whole(path, FirmwareError) as first:
        write_texts(first, {"a": "1"})
        with folder_written_whole(path, FirmwareError) as second:
            write_texts(second, {"a": "2"})
        assert (path / "a").read_text() == "2"
        write_texts(first, {"b": "1"})
    assert {each.name: each.read_text() for each in path.iterdir()} == {"a": "1", "b": "1"}
    assert list(tmp_path.iterdir()) == [path]

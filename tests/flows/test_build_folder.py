from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nanopelican_hls.errors import SynthesisError
from nanopelican_hls.flows.build_folder import digest, locked, mirror, write_if_changed


def test_one_run_at_a_time(tmp_path):
    folder = tmp_path / "build" / "model"
    with locked(folder):
        message = rf"model: is in use by another run \(process {os.getpid()}\)"
        with pytest.raises(SynthesisError, match=message), locked(folder):
            pass
        with locked(tmp_path / "build" / "other"):
            pass
    with locked(folder):
        pass


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path):
    script = (
        "import os, signal, sys, pathlib\n"
        "from nanopelican_hls.flows.build_folder import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == -9
    with locked(tmp_path):
        pass


def test_a_tool_that_outlives_us_keeps_the_lock(tmp_path):
    script = (
        "import os, signal, subprocess, sys, pathlib\n"
        "from nanopelican_hls.flows.build_folder import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n"
        "    print(subprocess.Popen(['sleep', '60'], close_fds=False, stdout=2).pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=False, stdout=subprocess.PIPE, text=True
    )
    tool = int(result.stdout)
    try:
        with pytest.raises(SynthesisError, match="is in use"), locked(tmp_path):
            pass
    finally:
        os.kill(tool, signal.SIGKILL)
    while Path(f"/proc/{tool}").exists() and "Z" not in Path(f"/proc/{tool}/stat").read_text().split()[2]:
        time.sleep(0.01)
    with locked(tmp_path):
        pass


def test_a_file_is_rewritten_only_when_its_content_changes(tmp_path):
    path = tmp_path / "sub" / "file"
    assert write_if_changed(path, b"a")
    os.utime(path, (1, 1))
    assert not write_if_changed(path, b"a")
    assert path.stat().st_mtime == 1
    assert write_if_changed(path, b"b")
    assert path.read_bytes() == b"b"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_a_mirror_removes_only_what_its_patterns_match(tmp_path):
    for name in ("src/old.h", "src/deep/old.h", "log"):
        write_if_changed(tmp_path / name, b"")
    mirror({"src/new.h": b"n", "src/deep/new.h": b"d"}, tmp_path, ["src/**/*"])
    files = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert files == {"src/new.h", "src/deep/new.h", "log"}


def test_a_digest_sees_names_contents_and_words(tmp_path):
    def value(*words):
        return digest(tmp_path, ["*.h", "a.*"], *words)

    seen = [value(), value("x")]
    write_if_changed(tmp_path / "a.h", b"1")
    seen.append(value())
    write_if_changed(tmp_path / "a.h", b"2")
    seen.append(value())
    (tmp_path / "a.h").rename(tmp_path / "b.h")
    seen.append(value())
    assert len(set(seen)) == len(seen)
    write_if_changed(tmp_path / "c.txt", b"")
    assert value() == seen[-1]


def test_a_folder_that_cannot_be_made():
    with pytest.raises(SynthesisError, match="/proc/x/model: cannot be made") as caught, locked(Path("/proc/x/model")):
        pass
    assert "--build" in caught.value.remedy


def test_a_folder_whose_name_is_not_utf_8(tmp_path):
    folder = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9"))
    with pytest.raises(SynthesisError, match="has a name that is not UTF-8"), locked(folder):
        pass


def test_a_folder_that_runs_no_programs(tmp_path, monkeypatch):
    class Mounted:
        f_flag = os.ST_NOEXEC

    monkeypatch.setattr(os, "statvfs", lambda _: Mounted)
    with pytest.raises(SynthesisError, match="is on a file system mounted with noexec"), locked(tmp_path):
        pass

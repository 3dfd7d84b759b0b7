from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hls_models import MODELS
from rtl_extra import MISSING

HERE = Path(__file__).parent
#: the open flow needs the optional extra `rtl`; tests/rtl/test_extra.py names what is missing
collect_ignore = ["test_open.py", "test_upsets.py", "test_yosys.py"] if MISSING else []


@pytest.fixture(scope="session")
def model():
    return MODELS["plain-laboratory"].program()


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Puts stand-ins for the named tools on the PATH, and no real tools."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), "/usr/bin", "/bin"]))
    monkeypatch.setenv("STAND_IN_REPORTS", str(HERE / "reports"))
    for variable in ("STAND_IN_VERSION", "STAND_IN_FAILURE", "STAND_IN_FAILS_IN"):
        monkeypatch.delenv(variable, raising=False)

    def install(*names):
        for name in names:
            path = folder / name
            path.write_text(f"#!{sys.executable}\n" + (HERE / "stand_in.py").read_text())
            path.chmod(0o755)
        return folder

    return install


@pytest.fixture
def fails(monkeypatch):
    """Makes the stand-ins fail in a given script."""

    def call(script, failure):
        monkeypatch.setenv("STAND_IN_FAILS_IN", script)
        monkeypatch.setenv("STAND_IN_FAILURE", failure)

    return call

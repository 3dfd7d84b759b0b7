"""What ``pip install`` brings: sdist and wheel are built, and tried in an environment of their own.

``make package`` keeps them in ``dist/``; ``make package FULL=1`` downloads all dependencies anew too. Otherwise the new
environment borrows the installed ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import pytest
from rtl_extra import MISSING

import nanopelican_hls
from nanopelican_hls import zoo
from nanopelican_hls.extras import EXTRAS, install
from nanopelican_hls.files import make_writable

ROOT = Path(__file__).parents[1]
#: what sdist and wheel are built from
SOURCES = (
    *("LICENSE", "README.md", "pyproject.toml"),
    *("configs", "firmware", "models", "nanopelican", "nanopelican_hls", "vivado_projects"),
)
#: of the wheel; 4.2 MB are the sample of jets, 0.2 MB the zoo
LARGEST_MB = 6
#: whether all dependencies are installed anew
FULL = bool(os.environ.get("FULL"))
#: takes the rights of root to write what is read-only
AS_USER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def build(kind: str, source: Path, output: Path) -> Path:
    """The hook that pip and build call, with the installed setuptools."""
    command = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(output)!r}))"
    result = subprocess.run([sys.executable, "-c", command], cwd=source, capture_output=True, text=True, check=True)
    return output / result.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """Built from a copy, so that nothing is left in the repository, nor taken from what an earlier build left there."""
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source)
    output = Path(os.environ.get("DIST") or tmp_path_factory.mktemp("dist")).absolute()
    output.mkdir(exist_ok=True)
    return build("sdist", source, output)


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """Built from the sdist, as for a platform without a wheel."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return build("wheel", source, sdist.parent)


def package_files() -> set[str]:
    """All files of the packages, through links."""
    return {
        Path(folder, file).relative_to(ROOT).as_posix()
        for package in ("nanopelican", "nanopelican_hls")
        for folder, _, files in os.walk(ROOT / package, followlinks=True)
        for file in files
        if "__pycache__" not in folder
    }


class TestContent:
    def test_the_wheel_has_every_file_of_the_package_and_nothing_else(self, wheel):
        files = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
        assert files == package_files()

    def test_the_wheel_has_the_zoo(self, wheel):
        with zipfile.ZipFile(wheel) as archive:
            for name in zoo.names():
                for suffix in zoo.SUFFIXES:
                    path = zoo.file_of(name, suffix)
                    stored = archive.read(f"nanopelican_hls/{path.parent.name}/{path.name}")
                    assert stored == path.read_bytes()

    def test_the_wheel_is_small(self, wheel):
        assert wheel.stat().st_size < LARGEST_MB * 1e6

    def test_the_sdist_has_files_in_place_of_links(self, sdist):
        with tarfile.open(sdist) as archive:
            members = [member for member in archive if not member.isdir()]
        assert all(member.isfile() for member in members)
        assert package_files() <= {member.name.partition("/")[2] for member in members}

    def test_metadata(self, wheel):
        name, version, *_ = wheel.name.split("-")
        with zipfile.ZipFile(wheel) as archive:
            metadata = message_from_bytes(archive.read(f"{name}-{version}.dist-info/METADATA"))
        assert (metadata["Name"], metadata["Version"]) == ("nanopelican-hls", nanopelican_hls.__version__)
        assert set(metadata.get_all("Provides-Extra")) == {*EXTRAS.values(), "dev", "docs"}


@dataclass(frozen=True)
class Environment:
    """An environment with the wheel, whose packages are read-only, and an empty folder."""

    path: Path
    folder: Path

    @property
    def package(self) -> Path:
        (found,) = self.path.glob("lib/python*/site-packages/nanopelican_hls")
        return found

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        words = [*as_user(), str(self.path / "bin" / command), *arguments]
        return subprocess.run(words, cwd=self.folder, env=clean(), capture_output=True, text=True, check=False)

    def content(self) -> dict[str, str]:
        """Checksums of all installed files, those compiled by Python included."""
        files = [path for path in self.package.rglob("*") if path.is_file()]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def as_user() -> tuple[str, ...]:
    if os.geteuid() == 0 and shutil.which("setpriv") and not subprocess.call([*AS_USER, "true"]):
        return AS_USER
    return ()


def clean() -> dict[str, str]:
    """The environment without what would find the repository."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    path = tmp_path_factory.mktemp("environment")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    pip += ["--python", str(path / "bin" / "python"), "install"]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(path)], check=True)
    if FULL:
        locked = ["--constraint", str(ROOT / "requirements.lock")]
        subprocess.run([*pip, *locked, str(wheel)], env=clean(), check=True)
    else:
        subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], env=clean(), check=True)
        (packages,) = path.glob("lib/python*/site-packages")
        # after pip, which must not see an editable install there; its .pth is not read from here either
        (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    found = Environment(path, tmp_path_factory.mktemp("empty"))
    for each in (found.package.parent, *found.package.parent.rglob("*")):
        if not each.is_symlink():
            each.chmod(each.stat().st_mode & ~0o222)
    yield found
    make_writable(found.package.parent)  # so that it can be removed


@pytest.fixture(scope="module")
def content(environment):
    return environment.content()


def test_the_installed_package_is_used(environment):
    result = environment.run("python", "-c", "import nanopelican_hls as n; print(n.__file__)")
    assert result.stdout.strip() == str(environment.package / "__init__.py")


@pytest.mark.usefixtures("content")
class TestInstalled:
    """Commands in an empty folder, which write nothing into the installation."""

    def test_version(self, environment):
        result = environment.run("nanopelican", "--version")
        assert result.stdout == f"nanopelican-hls {nanopelican_hls.__version__}\n"

    @pytest.mark.parametrize("command", ["check trigger-n8", "formula trigger-n8", "zoo", "zoo trigger-n8"])
    def test_commands_that_print(self, environment, command):
        result = environment.run("nanopelican", *command.split())
        assert (result.returncode, result.stderr) == (0, "")
        assert "trigger-n8" in result.stdout

    def test_estimate(self, environment):
        """Needs an extra, which an installation of the wheel alone does not have."""
        result = environment.run("nanopelican", "estimate", "trigger-n8")
        if FULL or MISSING:
            assert result.returncode == 2
            assert result.stderr.endswith(f"remedy: {install('alkaid')}\n")
        else:
            assert (result.returncode, result.stderr) == (0, "")

    def test_a_copy_can_be_changed(self, environment):
        assert environment.run("nanopelican", "zoo", "trigger-n6", "--copy", "mine").returncode == 0
        copied = list((environment.folder / "mine").rglob("trigger-n6.*"))
        assert len(copied) == len(zoo.SUFFIXES)
        assert all(path.stat().st_mode & 0o200 for path in copied)
        shutil.rmtree(environment.folder / "mine")

    def test_csim(self, environment):
        """The proof: the whole sample and hostile events, every tensor; all that it writes is in ``build``."""
        for _ in range(2 if FULL else 1):  # the second time replaces what the first has written
            result = environment.run("nanopelican", "csim", "trigger-n8")
            assert result.returncode == 0, result.stderr
        report = json.loads((environment.folder / "build" / "trigger-n8" / "csim.json").read_text())
        assert report["events"] == 10_000
        for part in (report, report["hostile"]):
            assert set(part["mismatches"].values()) == {0}
        assert [path.name for path in environment.folder.iterdir()] == ["build"]

    def test_nothing_was_written_into_the_installation(self, environment, content):
        assert environment.content() == content

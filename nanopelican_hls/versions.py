"""The version of this package, and of the packages that determine a result."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterable
from pathlib import Path

#: version of the package; pyproject.toml reads it from here
__version__ = "0.1.0"


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of the given packages, of this one and of Python, by name."""
    from importlib import metadata

    found = {name: metadata.version(name) for name in packages}
    return found | {"nanopelican-hls": __version__, "python": platform.python_version()}


def installed(packages: Iterable[str]) -> dict[str, str]:
    """The same, for those of the packages that are installed."""
    from importlib import metadata

    found = {}
    for name in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found | versions(())


def git_revision() -> dict[str, str | bool] | None:
    """Revision of the clone that this package runs from, and whether it has changes; None if it is no clone."""
    import subprocess

    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    answers = []
    for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no")):
        try:
            result = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):  # no git, or a clone of somebody else
            return None
        answers.append(result.stdout.strip())
    return {"revision": answers[0], "changed": bool(answers[1])}

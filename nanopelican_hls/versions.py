"""The version of this package, and those of the packages that decide a result."""

from __future__ import annotations

import platform
from collections.abc import Iterable

#: of the package; pyproject.toml reads it from here
__version__ = "0.1.0"


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of packages by their names, of this one, and of Python."""
    from importlib import metadata

    found = {name: metadata.version(name) for name in packages}
    return found | {"nanopelican-hls": __version__, "python": platform.python_version()}

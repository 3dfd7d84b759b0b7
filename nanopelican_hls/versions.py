"""The version of this package, and of the packages that determine a result."""

from __future__ import annotations

import platform
from collections.abc import Iterable

#: version of the package; pyproject.toml reads it from here
__version__ = "0.1.0"


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of the given packages, of this one and of Python, by name."""
    from importlib import metadata

    found = {name: metadata.version(name) for name in packages}
    return found | {"nanopelican-hls": __version__, "python": platform.python_version()}

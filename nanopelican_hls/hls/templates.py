"""The C++ sources in firmware/templates: real files, shipped inside the package as ``firmware_templates``."""

from __future__ import annotations

import string
from importlib import resources
from pathlib import Path


def templates_path() -> Path:
    """Where the templates are, in a source tree (through a link) and in an installed wheel alike."""
    return Path(str(resources.files("nanopelican_hls"))) / "firmware_templates"


def headers() -> list[Path]:
    """The headers that every project gets, in ``firmware/nnet_utils``."""
    return sorted(templates_path().glob("nnet_*.h"))


def render(template: str, **values: str) -> str:
    """A template with its ``${placeholders}`` filled in; one that is missing, or unknown, is an error."""
    text = string.Template((templates_path() / template).read_text(encoding="utf-8"))
    unknown = set(values) - set(text.get_identifiers())
    if unknown:
        raise KeyError(f"{template} has no placeholder {sorted(unknown)[0]!r}")
    return text.substitute(values)

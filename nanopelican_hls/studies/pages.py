"""What a study ends with: a page for people, and the numbers on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from nanopelican_hls.errors import NetworkError
from nanopelican_hls.files import write_atomically


class Page(NamedTuple):
    """The Markdown, and the content of the JSON file."""

    text: str
    content: dict[str, Any]

    def write(self, output: Path, name: str) -> Page:
        """Write ``<name>.json`` and ``<name>.md``."""
        write_atomically(output / f"{name}.json", json.dumps(self.content, indent=1) + "\n", NetworkError)
        write_atomically(output / f"{name}.md", self.text, NetworkError)
        return self

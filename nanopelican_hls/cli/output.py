"""What commands write beside their text: tables as CSV, and pictures if matplotlib is installed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from nanopelican_hls.errors import NetworkError


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of equal keys, the first line naming them."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


@contextmanager
def importing_matplotlib() -> Iterator[None]:
    """An import within that fails is a `NetworkError` that names the extra; tables are written before pictures."""
    try:
        yield
    except ImportError as error:
        raise NetworkError(
            "the picture needs matplotlib, which is not installed (the table was written)",
            remedy="pip install 'nanopelican-hls[pictures]'",
        ) from error

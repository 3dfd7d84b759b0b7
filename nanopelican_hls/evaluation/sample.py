"""Labelled jets as port values."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Sample:
    """Port values [n, N] or [n, 1] by name, before quantisation, with labels [n], all float64.

    A label is 1 for signal and 0 for background, or the position of a class.
    """

    values: Mapping[str, NDArray[np.float64]]
    labels: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.labels)

    def head(self, events: int | None) -> Sample:
        """The first jets."""
        return Sample({name: v[:events] for name, v in self.values.items()}, self.labels[:events])

    @property
    def fingerprint(self) -> int:
        """Checksum, to tell samples apart."""
        checksum = zlib.crc32(self.labels.tobytes())
        for name in sorted(self.values):
            checksum = zlib.crc32(self.values[name].tobytes(), checksum)
        return checksum

"""What every reader answers, and what several of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.readers.classes import Wanted


class Reader(ABC):
    """An open file of jets in one layout; `read` gives any range of them, and holds nothing else in memory.

    The constructor checks the form of the file (datasets, columns, shapes, types), so that a file that cannot be read
    is refused before the first jet, and logs once what the file does not say.

    Parameters
    ----------
    path : Path
        Of the file, for messages.
    file : object
        The open file, an ``h5py.File`` or an ``uproot`` directory.
    wanted : Wanted
        What the caller wants of the labels.
    """

    #: name of the layout in messages
    layout: ClassVar[str]
    #: what a file of the layout must hold, in words
    identified_by: ClassVar[str]

    @classmethod
    @abstractmethod
    def recognises(cls, file: Any) -> bool:
        """True if the open file is meant to be in this layout, be it well-formed or not."""

    @abstractmethod
    def __init__(self, path: Path, file: Any, wanted: Wanted) -> None: ...

    @abstractmethod
    def __len__(self) -> int:
        """Number of jets in the file."""

    @abstractmethod
    def read(self, start: int, stop: int) -> Jets:
        """The jets ``start`` to ``stop - 1`` of the file."""


def jets_of_constituents(
    four_momenta: NDArray[Any], labels: NDArray[Any] | None, classes: tuple[str, ...] | None = None
) -> Jets:
    """Jets of which a file has nothing but the constituents [n, N, 4]: the jet is their sum, they are counted."""
    # the order in which numpy sums depends on how an array lies in memory
    momenta = np.ascontiguousarray(four_momenta, dtype=np.float64)
    return Jets(
        four_momenta=momenta,
        jet_four_momentum=momenta.sum(axis=1),
        multiplicity=np.count_nonzero(momenta[..., 0], axis=1),
        labels=labels,
        classes=classes,
    )


def check_lengths(path: Path, lengths: dict[str, int]) -> None:
    """Refuse datasets (name -> number of entries) that disagree, or that are empty."""
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise JetsError(
            f"the datasets differ in their number of jets: {listed}",
            where=str(path),
            remedy="write one entry per jet in each",
        )
    if not next(iter(lengths.values())):
        raise JetsError("holds no jets", where=str(path), remedy="give a file with at least 1 jet")

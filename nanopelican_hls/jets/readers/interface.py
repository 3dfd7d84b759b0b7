"""The interface of a reader, and what several readers share."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.readers.classes import Wanted

logger = logging.getLogger(__name__)


class Reader(ABC):
    """An open file of jets in one layout; `read` loads any range of jets, and nothing else.

    The constructor checks the structure of the file (datasets, columns, shapes, types), so that an unreadable file is
    rejected before the first jet, and logs once what information the file lacks.

    Parameters
    ----------
    path : Path
        Path of the file, for messages.
    file : object
        The open file, an ``h5py.File`` or an ``uproot`` directory.
    wanted : Wanted
        Labels that the caller asks for.
    """

    #: name of the layout in messages
    layout: ClassVar[str]
    #: what a file of the layout must hold, in words
    identified_by: ClassVar[str]

    @classmethod
    @abstractmethod
    def recognises(cls, file: Any) -> bool:
        """Whether the open file is meant to be in this layout, well-formed or not."""

    @abstractmethod
    def __init__(self, path: Path, file: Any, wanted: Wanted) -> None: ...

    @abstractmethod
    def __len__(self) -> int:
        """Number of jets in the file."""

    @abstractmethod
    def read(self, start: int, stop: int) -> Jets:
        """Read jets ``start`` to ``stop - 1`` of the file."""


def jets_of_constituents(
    four_momenta: NDArray[Any], labels: NDArray[Any] | None, classes: tuple[str, ...] | None = None
) -> Jets:
    """Jets of a file that has only constituents [n, N, 4]: sum and count them for the jet and its multiplicity."""
    momenta = padded_with_zeros(four_momenta)
    return Jets(
        four_momenta=momenta,
        jet_four_momentum=momenta.sum(axis=1),
        multiplicity=np.count_nonzero(momenta[..., 0], axis=1),
        labels=labels,
        classes=classes,
    )


def padded_with_zeros(four_momenta: NDArray[Any]) -> NDArray[np.float64]:
    """Four-momenta [n, N, 4] of a file, with constituents that are NaN in every component as the zeros of padding."""
    # the order in which numpy sums depends on the memory layout of the array
    momenta = np.ascontiguousarray(four_momenta, dtype=np.float64)
    padding = np.isnan(momenta).all(axis=-1, keepdims=True)
    if not padding.any():
        return momenta
    logger.info("%d constituents are NaN in every component: taken as padding", np.count_nonzero(padding))
    return np.where(padding, 0.0, momenta)


def check_lengths(path: Path, lengths: dict[str, int]) -> None:
    """Reject datasets (name -> number of entries) that are empty or differ in length."""
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise JetsError(
            f"the datasets differ in their number of jets: {listed}",
            where=str(path),
            remedy="write one entry per jet in each",
        )
    if not next(iter(lengths.values())):
        raise JetsError("holds no jets", where=str(path), remedy="use a file with at least 1 jet")

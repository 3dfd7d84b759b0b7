"""The interface of a reader, and what several readers share."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets

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
    signal : sequence of str or None
        Classes that count as signal, for a layout with several; None for the default of the layout.
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
    def __init__(self, path: Path, file: Any, signal: Sequence[str] | None) -> None: ...

    @abstractmethod
    def __len__(self) -> int:
        """Number of jets in the file."""

    @abstractmethod
    def read(self, start: int, stop: int) -> Jets:
        """Read jets ``start`` to ``stop - 1`` of the file."""


def jets_of_constituents(four_momenta: NDArray[Any], labels: NDArray[Any] | None) -> Jets:
    """Jets of a file that has only constituents [n, N, 4]: sum and count them for the jet and its multiplicity."""
    # the order in which numpy sums depends on the memory layout of the array
    momenta = np.ascontiguousarray(four_momenta, dtype=np.float64)
    return Jets(
        four_momenta=momenta,
        jet_four_momentum=momenta.sum(axis=1),
        multiplicity=np.count_nonzero(momenta[..., 0], axis=1),
        labels=labels,
    )


def refuse_classes(path: Path, signal: Sequence[str] | None) -> None:
    """Reject ``signal`` for a layout whose labels are already signal and background."""
    if signal is not None:
        raise JetsError(
            f"is already labelled as signal and background, so the classes {', '.join(signal)} cannot be chosen",
            where=str(path),
            remedy="leave `signal` out",
        )


def chosen_classes(
    path: Path, signal: Sequence[str] | None, default: Sequence[str], classes: Sequence[str]
) -> list[int]:
    """Positions in ``classes`` of the signal classes."""
    chosen = default if signal is None else signal
    unknown = sorted(set(chosen) - set(classes))
    if unknown or not chosen:
        raise JetsError(
            f"has no class {', '.join(map(repr, unknown)) or 'chosen as signal'}; its classes are {', '.join(classes)}",
            where=str(path),
            remedy="choose `signal` among them",
        )
    if set(chosen) == set(classes):
        raise JetsError("every class is chosen as signal", where=str(path), remedy="leave one for the background")
    logger.info("%s: signal is %s, all other classes are background", path, ", ".join(chosen))
    return [classes.index(name) for name in chosen]


def labels_of_one_hot(one_hot: NDArray[Any], classes: Sequence[str], signal: Sequence[int]) -> NDArray[np.int8]:
    """Labels [n] from one-hot rows [n, classes]: 1 where a class of ``signal`` is set.

    Raises
    ------
    JetsError
        If a row is not one-hot.
    """
    valid = ((one_hot == 0) | (one_hot == 1)).all(axis=1) & (one_hot.sum(axis=1) == 1)
    for jet in np.flatnonzero(~valid)[:1]:
        found = ", ".join(f"{name} {value:g}" for name, value in zip(classes, one_hot[jet].tolist(), strict=True))
        raise JetsError(
            f"its classes are not one-hot: {found}", where=f"jet {jet}", remedy="set exactly one class of a jet to 1"
        )
    labels: NDArray[np.int8] = np.asarray(one_hot[:, list(signal)].any(axis=1), dtype=np.int8)
    return labels


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

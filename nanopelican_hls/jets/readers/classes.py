"""Labels of jets: what they mean in a file, and what the caller asks for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import check_labels

logger = logging.getLogger(__name__)

#: label datasets of our own layouts: 1 = signal, or the position of the class in the file attribute `CLASSES`
IS_SIGNAL, LABEL, CLASSES = "is_signal", "label", "classes"
#: classes of `IS_SIGNAL` 0 and 1 if the file does not name them
BINARY = ("qcd", "top")


@dataclass(frozen=True)
class Labelling:
    """Map from the labels of a file to those of `Jets`; call it to apply it.

    Parameters
    ----------
    names : tuple of str
        The classes of the file, in the order of its labels.
    classes : tuple of str or None
        `Jets.classes`.
    label_of : tuple of int or None
        New label of each class of the file, -1 for a class not asked for; None leaves the labels as they are.
    dataset : str
        Name of the label dataset of an HDF5 file; empty if there is none.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...] | None = None
    label_of: tuple[int, ...] | None = None
    dataset: str = ""

    def __call__(self, labels: NDArray[Any] | None) -> NDArray[Any] | None:
        """Labels [n] of the jets, or None if there are none.

        Raises
        ------
        JetsError
            If a label is not a class of the file, or is one not asked for.
        """
        if labels is None or self.label_of is None:
            return labels
        check_labels(labels, self.names)
        of_file = labels.astype(np.intp)
        found = np.array(self.label_of, dtype=np.int8)[of_file]
        for jet in np.flatnonzero(found < 0)[:1]:
            raise JetsError(
                f"its class is {self.names[of_file[jet]]}, which is none of {', '.join(self.classes or ())}",
                where=f"jet {jet}",
                remedy="name all classes that the jets have",
            )
        return found


@dataclass(frozen=True)
class Wanted:
    """Labels that a caller asks for: ``signal`` and ``classes`` of `read_jets`.

    Raises
    ------
    JetsError
        If both are given, or ``classes`` is empty or has duplicates.
    """

    signal: Sequence[str] | None = None
    classes: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.signal is not None and self.classes is not None:
            raise JetsError("are both given", where="signal and classes", remedy="give one of them")
        if self.classes is not None and not self.classes:
            raise JetsError("name none", where="classes", remedy="name those of the file, in the order of the labels")
        folded = [name.casefold() for name in self.classes or ()]
        if len(set(folded)) < len(folded):
            raise JetsError(
                f"name one twice: {', '.join(self.classes or ())}", where="classes", remedy="name each once"
            )

    def of_classes(self, path: Path, names: Sequence[str], default_signal: Sequence[str] | None = None) -> Labelling:
        """Labelling of a file with the classes ``names``.

        Parameters
        ----------
        path : Path
            For messages.
        names : sequence of str
            Classes of the file, in the order of its labels.
        default_signal : sequence of str, optional
            Signal classes of the layout, if the caller names none; None keeps all classes apart.

        Raises
        ------
        JetsError
            If the file lacks a class, or all are chosen as signal.
        """
        if self.classes is not None:
            return self._by_name(path, names)
        signal = default_signal if self.signal is None else self.signal
        if signal is None:
            return Labelling(tuple(names), classes=tuple(names))
        chosen = _positions(path, signal, names, "signal")
        if len(set(chosen)) == len(names):
            raise JetsError("every class is chosen as signal", where=str(path), remedy="leave one for the background")
        logger.info("%s: signal is %s, all other classes are background", path, ", ".join(signal))
        return Labelling(tuple(names), label_of=tuple(int(i in chosen) for i in range(len(names))))

    def of_signal(self, path: Path, names: Sequence[str] = BINARY) -> Labelling:
        """Labelling of a file whose labels 0 and 1 are the classes ``names``; errors as for `of_classes`."""
        self.refuse_signal(path)
        return Labelling(tuple(names)) if self.classes is None else self._by_name(path, names)

    def refuse_signal(self, path: Path) -> None:
        """Reject ``signal`` for a layout whose labels are already signal and background."""
        if self.signal is not None:
            raise JetsError(
                "is already labelled as signal and background, "
                f"so the classes {', '.join(self.signal)} cannot be chosen",
                where=str(path),
                remedy="leave `signal` out",
            )

    def _by_name(self, path: Path, names: Sequence[str]) -> Labelling:
        wanted = tuple(self.classes or ())
        chosen = _positions(path, wanted, names, "classes")
        label_of = tuple(chosen.index(i) if i in chosen else -1 for i in range(len(names)))
        return Labelling(tuple(names), classes=wanted, label_of=label_of)


def labels_of_file(path: Path, file: Any, wanted: Wanted) -> Labelling:
    """Labelling of a file in one of our own layouts.

    Raises
    ------
    JetsError
        If the file lacks a class asked for, or does not name its classes.
    """
    names = _names(path, file)
    if LABEL in file and names is not None:
        return replace(wanted.of_classes(path, names), dataset=LABEL)
    if IS_SIGNAL in file:
        if names is not None and len(names) != len(BINARY):
            raise JetsError(
                f"has {len(names)} classes, {', '.join(names)}, where {IS_SIGNAL} has 2",
                where=str(path),
                remedy=f"write the positions of the classes as the dataset {LABEL}",
            )
        if LABEL in file:
            logger.warning(
                "%s has the dataset %s, but does not name its classes (attribute %s): %s is read",
                *(path, LABEL, CLASSES, IS_SIGNAL),
            )
        return replace(wanted.of_signal(path, names or BINARY), dataset=IS_SIGNAL)
    if LABEL in file:
        raise JetsError(
            f"has the dataset {LABEL}, but does not name its classes",
            where=str(path),
            remedy=f"write their names as the attribute {CLASSES}",
        )
    wanted.refuse_signal(path)
    logger.warning("%s has no labels (%s): AUC will be skipped", path, IS_SIGNAL)
    return Labelling(names=())


def class_of_one_hot(one_hot: NDArray[Any], classes: Sequence[str]) -> NDArray[np.intp]:
    """Class positions [n] from one-hot rows [n, classes].

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
    positions: NDArray[np.intp] = np.argmax(one_hot, axis=1)
    return positions


def _positions(path: Path, chosen: Sequence[str], names: Sequence[str], argument: str) -> list[int]:
    """Positions of the ``chosen`` classes in ``names``, ignoring case, in which jet sets differ (W and w)."""
    folded = [name.casefold() for name in names]
    unknown = sorted(name for name in set(chosen) if name.casefold() not in folded)
    if unknown or not chosen:
        raise JetsError(
            f"has no class {', '.join(map(repr, unknown)) or 'chosen as signal'}; its classes are {', '.join(names)}",
            where=str(path),
            remedy=f"choose `{argument}` among them",
        )
    return [folded.index(name.casefold()) for name in chosen]


def _names(path: Path, file: Any) -> tuple[str, ...] | None:
    """Class names in the file attribute `CLASSES`, or None."""
    if CLASSES not in file.attrs:
        return None
    found = np.asarray(file.attrs[CLASSES])
    names = tuple(name.decode() if isinstance(name, bytes) else str(name) for name in found.ravel())
    if found.ndim != 1 or not names or len({name.casefold() for name in names}) < len(names):
        raise JetsError(
            f"must be a list of names, each once, not {file.attrs[CLASSES]!r}",
            where=f"{path}: {CLASSES}",
            remedy="write the names of the classes, in the order of the labels",
        )
    return names

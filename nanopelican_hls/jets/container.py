"""Jets as arrays, in the one form used throughout the package."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanopelican_hls.errors import JetsError

logger = logging.getLogger(__name__)

#: largest excess of |p| over E, relative to E: float32 storage alone causes up to 1.2e-7 for a massless particle
SPACE_LIKE_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Jets:
    """Jets with their constituents, checked and sorted by pT on construction.

    Parameters
    ----------
    four_momenta : float64 [n, N, 4]
        (E, px, py, pz) of the constituents in GeV, in descending pT, zero-padded. All-zero entries may appear anywhere
        and are moved to the end; unsorted constituents are sorted, with a log message.
    jet_four_momentum : float64 [n, 4]
        (E, px, py, pz) of the whole jet in GeV, from all its constituents.
    multiplicity : int64 [n]
        Number of constituents before any cut; never less than the number present.
    labels : int8 [n] or None
        1 = top, 0 = QCD, or positions in `classes`; None if unknown.
    classes : tuple of str or None
        Names of the classes, indexed by the labels; None if the labels mean signal and background.
    source : str
        The file that they come from, for messages.

    Raises
    ------
    JetsError
        If shapes disagree, a label is not a class, a multiplicity is too small, or a four-momentum contains a NaN or
        infinity, has negative energy, or has ``|p|`` above E by more than `SPACE_LIKE_TOLERANCE`; the message names the
        jet, the constituent and the excess.
    """

    four_momenta: NDArray[np.float64]
    jet_four_momentum: NDArray[np.float64]
    multiplicity: NDArray[np.int64]
    labels: NDArray[np.int8] | None = None
    classes: tuple[str, ...] | None = None
    source: str = field(default="the jets", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "four_momenta", np.asarray(self.four_momenta, dtype=np.float64))
        object.__setattr__(self, "jet_four_momentum", np.asarray(self.jet_four_momentum, dtype=np.float64))
        object.__setattr__(self, "multiplicity", np.asarray(self.multiplicity))
        if self.labels is not None:
            object.__setattr__(self, "labels", np.asarray(self.labels))
        if self.classes is not None:
            object.__setattr__(self, "classes", tuple(self.classes))
        self._check_shapes()
        _check_four_momenta(self.four_momenta, "constituent {}")
        _check_four_momenta(self.jet_four_momentum[:, None], "the whole jet")
        self._check_counts()
        self._check_labels()
        object.__setattr__(self, "four_momenta", _in_pt_order(self.four_momenta))

    def __len__(self) -> int:
        return len(self.four_momenta)

    def __getitem__(self, index: int | slice | NDArray[Any]) -> Jets:
        """Select jets by slice, index array, mask or position (a single jet)."""
        chosen = index if isinstance(index, slice) else np.atleast_1d(np.arange(len(self))[index])
        return Jets(
            four_momenta=self.four_momenta[chosen],
            jet_four_momentum=self.jet_four_momentum[chosen],
            multiplicity=self.multiplicity[chosen],
            labels=None if self.labels is None else self.labels[chosen],
            classes=self.classes,
            source=self.source,
        )

    def read_from(self, source: str) -> Jets:
        """The same jets, with the file that they come from; they are not checked again."""
        jets = copy(self)
        object.__setattr__(jets, "source", source)
        return jets

    def leading(self, n_constituents: int) -> Jets:
        """Keep exactly ``n_constituents`` per jet: the leading ones in pT, zero-padded if there are fewer.

        The number of truncated jets is logged; `multiplicity` and `jet_four_momentum` are unchanged.
        """
        if n_constituents < 1:
            raise JetsError(f"cannot keep {n_constituents} constituents", remedy="keep at least 1")
        held = self.four_momenta.shape[1]
        if held == n_constituents:
            return self
        if held < n_constituents:
            padding = ((0, 0), (0, n_constituents - held), (0, 0))
            return replace(self, four_momenta=np.pad(self.four_momenta, padding))
        cut = int(np.count_nonzero(self.four_momenta[:, n_constituents:, 0].any(axis=1)))
        if cut:
            logger.info(
                "%d of %d jets have more than %d constituents: keeping the leading %d in pT",
                *(cut, len(self), n_constituents, n_constituents),
            )
        return replace(self, four_momenta=self.four_momenta[:, :n_constituents])

    def binary_labels(self, where: str) -> NDArray[np.int8] | None:
        """Labels [n], 1 = signal and 0 = background, or None if unknown: those that can train or score one logit.

        Parameters
        ----------
        where : str
            The file or sample, for messages.

        Raises
        ------
        JetsError
            If there are more than two classes.
        """
        if self.labels is not None and self.classes is not None and len(self.classes) > 2:
            raise JetsError(
                f"has {len(self.classes)} classes ({', '.join(self.classes)}), but signal and background are needed",
                where=where,
                remedy="choose the signal with read_jets(path, signal=[...]) and write these jets with write_jets",
            )
        return self.labels

    def labels_of(self, classes: Sequence[str], where: str) -> NDArray[np.int8] | None:
        """Labels [n] for the logits of a network: positions in its ``classes``, or `binary_labels` if it has none.

        Raises
        ------
        JetsError
            If the jets have other classes, or the same in another order.
        """
        if not classes:
            return self.binary_labels(where)
        if self.labels is not None and self.classes != tuple(classes):
            has = f"has the classes {', '.join(self.classes)}" if self.classes else "has signal and background"
            raise JetsError(
                f"{has}, but the network has {', '.join(classes)}",
                where=where,
                remedy="read it with read_jets(path, classes=[...]), those of the network",
            )
        return self.labels

    def _check_shapes(self) -> None:
        shape = self.four_momenta.shape
        if len(shape) != 3 or shape[1] < 1 or shape[2] != 4:
            raise JetsError(
                f"must have shape [jets, constituents, 4], not {list(shape)}",
                where="four_momenta",
                remedy="pass (E, px, py, pz) in GeV of every constituent, padded with zeros",
            )
        expected = {"jet_four_momentum": (shape[0], 4), "multiplicity": (shape[0],), "labels": (shape[0],)}
        for name, wanted in expected.items():
            array = getattr(self, name)
            if array is not None and array.shape != wanted:
                raise JetsError(
                    f"must have shape {list(wanted)} for {shape[0]} jets, not {list(array.shape)}",
                    where=name,
                    remedy="pass one entry per jet",
                )

    def _check_counts(self) -> None:
        if self.multiplicity.dtype.kind not in "iu":
            raise JetsError(
                f"must be integers, not {self.multiplicity.dtype}",
                where="multiplicity",
                remedy="count the constituents of every jet",
            )
        present = np.count_nonzero(self.four_momenta[..., 0], axis=1)
        for jet in np.flatnonzero(self.multiplicity < present)[:1]:
            raise JetsError(
                f"the multiplicity is {self.multiplicity[jet]}, but {present[jet]} constituents are present",
                where=f"jet {jet}",
                remedy="the multiplicity is the number of constituents before any cut",
            )
        object.__setattr__(self, "multiplicity", self.multiplicity.astype(np.int64, copy=False))

    def _check_labels(self) -> None:
        if self.labels is None:
            return
        check_labels(self.labels, self.classes)
        object.__setattr__(self, "labels", self.labels.astype(np.int8, copy=False))


def check_labels(labels: NDArray[Any], classes: tuple[str, ...] | None) -> None:
    """Reject labels [n] that are not positions in ``classes``, or 0 and 1 without classes."""
    for jet in np.flatnonzero(~np.isin(labels, np.arange(2 if classes is None else len(classes))))[:1]:
        meant = "1 (top) and 0 (QCD)" if classes is None else f"0 to {len(classes) - 1}, for {', '.join(classes)}"
        raise JetsError(f"the label is {labels[jet]}", where=f"jet {jet}", remedy=f"labels are {meant}")


def pt_gev(four_momenta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Transverse momenta [...] of four-momenta [..., 4], in GeV."""
    pt: NDArray[np.float64] = np.hypot(four_momenta[..., 1], four_momenta[..., 2])
    return pt


def _in_pt_order(four_momenta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sort constituents [n, N, 4] by descending pT (stable); an array already in order is returned itself."""
    pt = pt_gev(four_momenta)
    unordered = int(np.count_nonzero((np.diff(pt, axis=1) > 0).any(axis=1)))
    if not unordered:
        return four_momenta
    logger.info("%d of %d jets had constituents out of pT order: sorted them", unordered, len(pt))
    return np.take_along_axis(four_momenta, np.argsort(-pt, axis=1, kind="stable")[..., None], axis=1)


def _check_four_momenta(four_momenta: NDArray[np.float64], name: str) -> None:
    """Reject unphysical four-momenta [n, N, 4]; ``name`` describes one in messages, ``{}`` being its second index."""
    energy, px, py, pz = np.moveaxis(four_momenta, -1, 0)
    for jet, i in np.argwhere(~np.isfinite(four_momenta).all(axis=-1))[:1]:
        raise JetsError(
            f"(E, px, py, pz) = {_shown(four_momenta[jet, i])} GeV contains a NaN or infinity",
            where=f"jet {jet}, {name.format(i)}",
            remedy="remove the jet, or fix the program that wrote it",
        )
    for jet, i in np.argwhere(energy < 0)[:1]:
        raise JetsError(
            f"the energy is negative: {energy[jet, i]:.9g} GeV",
            where=f"jet {jet}, {name.format(i)}",
            remedy="momenta are (E, px, py, pz) in GeV, energy first; padding is all zero",
        )
    excess = np.hypot(np.hypot(px, py), pz) - energy
    for jet, i in np.argwhere(excess > SPACE_LIKE_TOLERANCE * energy)[:1]:
        raise JetsError(
            f"(E, px, py, pz) = {_shown(four_momenta[jet, i])} GeV is space-like: |p| exceeds E by "
            f"{excess[jet, i]:.3g} GeV, more than rounding explains ({SPACE_LIKE_TOLERANCE:g} of E)",
            where=f"jet {jet}, {name.format(i)}",
            remedy="momenta are (E, px, py, pz) in GeV, energy first, stored in float32 or wider",
        )


def _shown(four_momentum: NDArray[np.float64]) -> str:
    return f"({', '.join(f'{x:.9g}' for x in four_momentum)})"

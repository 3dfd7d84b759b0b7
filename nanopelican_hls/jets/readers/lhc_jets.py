"""The hls4ml LHC jet set with up to 150 constituents (Pierini et al., doi 10.5281/zenodo.3602260) as published.

Datasets: ``jetConstituentList`` [n, 150, 16], starting with px, py, pz, E of each constituent in GeV, zero-padded;
``jets`` [n, 59], with the one-hot class in columns -6 to -2, in the order g, q, w, z, t. If ``particleFeatureNames``
and ``jetFeatureNames`` are present, columns are looked up by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.readers.classes import Wanted, class_of_one_hot
from nanopelican_hls.jets.readers.datasets import check_readable
from nanopelican_hls.jets.readers.interface import Reader, check_lengths, jets_of_constituents

CLASSES = ("g", "q", "w", "z", "t")
DEFAULT_SIGNAL = ("t",)
#: column name -> its position in a file without names
_MOMENTA = {"j1_e": 3, "j1_px": 0, "j1_py": 1, "j1_pz": 2}
_LABELS = {f"j_{name}": position for position, name in enumerate(CLASSES, start=-6)}


class LhcJetsReader(Reader):
    """Top (t) is signal and all others background, unless ``signal`` or ``classes`` say otherwise."""

    layout = "hls4ml LHC jets"
    identified_by = "datasets 'jetConstituentList' and 'jets'"

    @classmethod
    def recognises(cls, file: Any) -> bool:
        return "jetConstituentList" in file

    def __init__(self, path: Path, file: Any, wanted: Wanted) -> None:
        if "jets" not in file:
            raise JetsError(
                "has jetConstituentList, but no dataset 'jets' with the classes",
                where=str(path),
                remedy="write both, as published, or the layout of docs/jets.md",
            )
        self._constituents, self._features = file["jetConstituentList"], file["jets"]
        _check_form(f"{path}: jetConstituentList", self._constituents, 3, len(_MOMENTA))
        _check_form(f"{path}: jets", self._features, 2, -min(_LABELS.values()))
        check_lengths(path, {"jetConstituentList": len(self._constituents), "jets": len(self._features)})
        self._momenta = _positions(f"{path}: particleFeatureNames", file, "particleFeatureNames", _MOMENTA)
        self._labels = _positions(f"{path}: jetFeatureNames", file, "jetFeatureNames", _LABELS)
        self._labelling = wanted.of_classes(path, CLASSES, DEFAULT_SIGNAL)

    def __len__(self) -> int:
        return len(self._constituents)

    def read(self, start: int, stop: int) -> Jets:
        # read all features of a range: HDF5 is slow at selecting a few
        momenta = self._constituents[start:stop][..., self._momenta]
        one_hot = self._features[start:stop][:, self._labels]
        labels = self._labelling(class_of_one_hot(one_hot, CLASSES))
        return jets_of_constituents(momenta, labels, self._labelling.classes)


def _check_form(where: str, dataset: Any, dimensions: int, columns: int) -> None:
    check_readable(where, dataset)
    shape: tuple[int, ...] = dataset.shape or ()
    fits = len(shape) == dimensions and all(shape[1:]) and shape[-1] >= columns and dataset.dtype.kind in "fiu"
    if not fits:
        wanted = ["jets", "constituents", "features"] if dimensions == 3 else ["jets", "features"]
        raise JetsError(
            f"must be numbers of shape [{', '.join(wanted)}] with {columns} features or more, "
            f"not {dataset.dtype} {list(shape)}",
            where=where,
            remedy="use the file as published",
        )


def _positions(where: str, file: Any, names: str, columns: dict[str, int]) -> list[int]:
    """Column positions: by name if the file has the dataset ``names``, otherwise as published."""
    if names not in file:
        return list(columns.values())
    check_readable(where, file[names])
    if len(file[names].shape or ()) != 1 or file[names].dtype.kind not in "SO":
        raise JetsError(
            f"must be a list of names, not {file[names].dtype} {list(file[names].shape or ())}",
            where=where,
            remedy="use the file as published, or remove the names if its columns are in the published order",
        )
    found = [name.decode(errors="replace") if isinstance(name, bytes) else str(name) for name in file[names][()]]
    missing = [name for name in columns if name not in found]
    if missing:
        raise JetsError(
            f"has no column {', '.join(missing)}; it has {', '.join(found[:8])}{', ...' if len(found) > 8 else ''}",
            where=where,
            remedy="use the file as published, or remove the names if its columns are in the published order",
        )
    return [found.index(name) for name in columns]

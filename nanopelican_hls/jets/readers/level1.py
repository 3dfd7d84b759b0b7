"""Level-1 trigger words in HDF5 (docs/level1.md), as written by `write_level1`.

The file attribute ``level1_format`` names the format. Datasets: ``pt``, ``eta``, ``phi`` [n, N], codes of the
constituents, zero-padded; ``jet_pt``, ``jet_eta``, ``jet_phi``, ``jet_mass`` [n] of the whole jet; optionally
labels as in the PELICAN layout, and ``Nobj_all`` [n], the number of constituents before any cut.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nanopelican_hls.errors import JetsError
from nanopelican_hls.jets.container import Jets
from nanopelican_hls.jets.level1 import CONSTITUENT_WORDS, LEVEL1_FORMATS, Level1Jets, from_level1
from nanopelican_hls.jets.readers.classes import Wanted, labels_of_file
from nanopelican_hls.jets.readers.datasets import attribute_bytes, check_dataset
from nanopelican_hls.jets.readers.interface import Reader, check_lengths

FORMAT, MULTIPLICITY = "level1_format", "Nobj_all"
#: word -> dtype in which it is written; any integer dtype can be read
WORD_TYPES = {
    "pt": np.uint16,
    "eta": np.int16,
    "phi": np.int16,
    "jet_pt": np.uint16,
    "jet_eta": np.int16,
    "jet_phi": np.int16,
    "jet_mass": np.uint16,
}


class Level1Reader(Reader):
    """Words are converted by `from_level1`; `to_level1` recovers them exactly.

    Without a dataset of labels they are None (and a warning is logged); without ``Nobj_all`` constituents are counted.
    """

    layout = "Level-1 words"
    identified_by = f"attribute {FORMAT!r}"

    @classmethod
    def recognises(cls, file: Any) -> bool:
        return FORMAT in file.attrs

    def __init__(self, path: Path, file: Any, wanted: Wanted) -> None:
        name = attribute_bytes(file.attrs, FORMAT).rstrip(b"\0").decode(errors="replace")
        if name not in LEVEL1_FORMATS:
            raise JetsError(
                f"is in an unknown Level-1 format, {name!r}",
                where=f"{path}: {FORMAT}",
                remedy=f"use one of {', '.join(LEVEL1_FORMATS)}",
            )
        self._format = LEVEL1_FORMATS[name]
        missing = [word for word in WORD_TYPES if word not in file]
        if missing:
            raise JetsError(
                f"has no dataset {', '.join(missing)}; it has {', '.join(file) or 'none at all'}",
                where=str(path),
                remedy="write the words as write_level1 does (docs/jets.md)",
            )
        self._labelling = labels_of_file(path, file, wanted)
        labels = self._labelling.dataset
        optional = [name for name in (labels, MULTIPLICITY) if name and name in file]
        self._datasets = {name: file[name] for name in (*WORD_TYPES, *optional)}
        check_dataset(f"{path}: pt", self._datasets["pt"], "iu", (None,))
        constituents = self._datasets["pt"].shape[1]
        for name, dataset in self._datasets.items():
            kinds = "biu" if name == labels else "iu"
            check_dataset(f"{path}: {name}", dataset, kinds, (constituents,) if name in CONSTITUENT_WORDS else ())
        check_lengths(path, {name: len(dataset) for name, dataset in self._datasets.items()})

    def __len__(self) -> int:
        return len(self._datasets["pt"])

    def read(self, start: int, stop: int) -> Jets:
        arrays = {name: dataset[start:stop] for name, dataset in self._datasets.items()}
        labels = self._labelling(arrays.pop(self._labelling.dataset, None))
        multiplicity = arrays.pop(MULTIPLICITY, None)
        if multiplicity is None:
            multiplicity = np.count_nonzero(arrays["pt"], axis=1)
        labelled: dict[str, Any] = {"labels": labels, "classes": self._labelling.classes}
        return from_level1(Level1Jets(format=self._format, **arrays, multiplicity=multiplicity, **labelled))
